package simulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The files in Options.Dir that keep the certificate over restarts.
const (
	certificateFile = "simulator.pem"
	keyFile         = "simulator.key"
)

// certificate returns the kept certificate, or a new one when there is none
// that is for all hosts and has its key beside it: a program that was killed
// may have written one of the two.
func certificate(dir string, hosts []string) (tls.Certificate, []byte, error) {
	if dir == "" {
		certPEM, keyPEM, err := generate(hosts)
		if err != nil {
			return tls.Certificate{}, nil, err
		}
		pair, err := tls.X509KeyPair(certPEM, keyPEM)
		return pair, certPEM, err
	}
	certPEM, errCert := os.ReadFile(filepath.Join(dir, certificateFile))
	keyPEM, errKey := os.ReadFile(filepath.Join(dir, keyFile))
	if errCert == nil && errKey == nil {
		if pair, err := tls.X509KeyPair(certPEM, keyPEM); err == nil && covers(pair.Leaf, hosts) {
			return pair, certPEM, nil
		}
	}
	for _, err := range []error{errCert, errKey} {
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return tls.Certificate{}, nil, err
		}
	}
	certPEM, keyPEM, err := generate(hosts)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	if err := errors.Join(put(dir, keyFile, keyPEM), put(dir, certificateFile, certPEM)); err != nil {
		return tls.Certificate{}, nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	return pair, certPEM, err
}

func covers(cert *x509.Certificate, hosts []string) bool {
	for _, host := range hosts {
		if cert == nil || cert.VerifyHostname(host) != nil {
			return false
		}
	}
	return true
}

// generate makes a certificate that is its own authority. Its dates are far
// apart and fixed: neither this machine's clock nor the world's decides whether
// the simulation can be reached.
func generate(hosts []string) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "changeover simulation", Organization: []string{"not a real system"}},
		NotBefore:    time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2199, time.December, 31, 0, 0, 0, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:         true, BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}

// put writes a file whole or not at all.
func put(dir, name string, b []byte) error {
	next := filepath.Join(dir, name+".next")
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(dir, name))
}
