package license_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/license"
)

func TestWhatCannotBeALicenseFileIsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		content string
		want    error
	}{
		{"nothing", "", license.ErrEmpty},
		{"one byte", "x", nil},
		{"as many bytes as are accepted", strings.Repeat("x", license.MaxFileBytes), nil},
		{"one byte too many", strings.Repeat("x", license.MaxFileBytes+1), license.ErrTooLarge},
		{"a web page", "<html><body>Login</body></html>", license.ErrWebPage},
		{"a web page with a document type", "<!DOCTYPE html>\n<title>Login</title>", license.ErrWebPage},
		{"a web page after blanks and a byte order mark", "\ufeff\r\n\t <HTML>", license.ErrWebPage},
		{"a web page after a declaration and a comment", "<?xml version=\"1.0\"?>\n<!-- login -->\n<!DOCTYPE HTML PUBLIC \"-//W3C//DTD XHTML 1.0\">", license.ErrWebPage},
		{"XML that is no web page", `<?xml version="1.0"?><License UID="x"/>`, nil},
		{"text that speaks of a web page", "see <html>", nil},
		{"bytes that are no text", "\x78\xda\x00\xff", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := license.NewFile([]byte(c.content))
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				require.True(t, f.IsZero())
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.content, string(f.Bytes()))
			require.Equal(t, len(c.content), f.Size())
			require.Equal(t, fmt.Sprintf("%x", sha256.Sum256([]byte(c.content))), string(f.Digest()))
		})
	}
}

func TestAFileCannotBeChanged(t *testing.T) {
	content := []byte("content")
	f, err := license.NewFile(content)
	require.NoError(t, err)
	content[0] = 'X'
	f.Bytes()[1] = 'X'
	require.Equal(t, "content", string(f.Bytes()))
}

func TestTheZeroFileIsNoFile(t *testing.T) {
	var none license.File
	require.True(t, none.IsZero())
	require.Nil(t, none.Bytes())
	require.Zero(t, none.Size())
	require.Empty(t, none.Digest())
	require.Equal(t, "no license file", none.String())
}

func TestADigestIsShortenedToTwelveCharacters(t *testing.T) {
	require.Equal(t, "012345678901", license.Digest("0123456789012").Short())
	require.Equal(t, "0", license.Digest("0").Short())
	require.Empty(t, license.Digest("").Short())
}

func ExampleFile() {
	file, err := license.NewFile([]byte("content of the file"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v\n", file)
	_, err = license.NewFile([]byte("<!DOCTYPE html><title>Please log in</title>"))
	fmt.Println(err)
	// Output:
	// license file of 19 bytes, sha256 0fc74468e6a9
	// the license file is a web page, probably a login or error page that was saved in its place
}
