package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"net/netip"
	"os"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
)

// namespace is the one that clients use when they are told of none.
const namespace = "default"

// A server is a Temporal server in this process. It asks nobody who they are,
// so it is reached over loopback only.
type server struct {
	temporal.Server
	address string
}

// startServer starts a server that keeps everything in the database file, which
// it creates when there is none. The port of address may be 0: any.
//
// What was answered survives the end of the process, also a sudden one. It
// need not survive a power cut: SQLite is not told to wait for the disk. With
// hurry, the waits of workflows take no time.
func startServer(file, address string, hurry bool) (*server, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("-address %q: the server lets everybody in, so it wants an address of the loopback interface, such as 127.0.0.1:7233", address)
	}
	ports, err := freePorts(at, 4)
	if err != nil {
		return nil, err
	}
	cfg := configuration(file, at.Addr(), ports)
	if err := createDatabase(file, cfg); err != nil {
		return nil, err
	}
	// The hosts are told beforehand. The usual way is that they find each other
	// through the database, where a killed server would still be looked for.
	hosts := map[primitives.ServiceName]static.Hosts{}
	for name, service := range cfg.Services {
		hosts[primitives.ServiceName(name)] = static.SingleLocalHost(netip.AddrPortFrom(at.Addr(), uint16(service.RPC.GRPCPort)).String())
	}
	options := []temporal.ServerOption{
		temporal.WithConfig(cfg), temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts), temporal.WithLogger(log.NewNoopLogger()),
	}
	if hurry {
		options = append(options, temporal.WithChainedFrontendGrpcInterceptors(skipTime),
			temporal.WithDynamicConfigClient(dynamicconfig.StaticClient{
				dynamicconfig.WorkflowTimeSkippingEnabled.Key(): true,
				dynamicconfig.TimerProcessorMaxTimeShift.Key():  10 * time.Millisecond, // how late a timer is
			}))
	}
	s := &server{address: cfg.PublicClient.HostPort}
	if s.Server, err = temporal.NewServer(options...); err != nil {
		return nil, err
	}
	return s, s.Start()
}

// skipTime asks for every new workflow that its clock jumps to its next timer
// whenever it waits for nothing else. Its children do the same.
func skipTime(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if start, ok := req.(*workflowservice.StartWorkflowExecutionRequest); ok {
		start.TimeSkippingConfig = &common.TimeSkippingConfig{Enabled: true, MaxSessionSkipCount: math.MaxInt32}
	}
	return next(ctx, req)
}

// configuration is that of a server whose four services are on the ports.
func configuration(file string, ip netip.Addr, ports []int) *config.Config {
	address := netip.AddrPortFrom(ip, uint16(ports[0])).String()
	service := func(port int) config.Service {
		return config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: ip.String()}}
	}
	return &config.Config{
		Persistence: config.Persistence{
			DefaultStore: sqliteplugin.PluginName, VisibilityStore: sqliteplugin.PluginName, NumHistoryShards: 1,
			DataStores: map[string]config.DataStore{sqliteplugin.PluginName: {SQL: &config.SQL{
				PluginName: sqliteplugin.PluginName, DatabaseName: file,
				ConnectAttributes: map[string]string{"mode": "rwc", "journal_mode": "wal", "synchronous": "0"},
			}}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10, MasterClusterName: "active", CurrentClusterName: "active",
			ClusterInformation: map[string]cluster.ClusterInformation{"active": {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services: map[string]config.Service{
			"frontend": service(ports[0]), "history": service(ports[1]), "matching": service(ports[2]), "worker": service(ports[3]),
		},
		Archival: config.Archival{History: config.HistoryArchival{State: config.ArchivalDisabled}, Visibility: config.VisibilityArchival{State: config.ArchivalDisabled}},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
		}},
		PublicClient: config.PublicClient{HostPort: address},
	}
}

// createDatabase creates the database unless it is there. It gets its name
// when it is complete, so that one that is there can be used.
func createDatabase(file string, cfg *config.Config) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	unfinished := file + ".new"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	sql := &config.SQL{PluginName: sqliteplugin.PluginName, DatabaseName: unfinished, ConnectAttributes: map[string]string{"mode": "rwc"}}
	if err := sqlite.SetupSchema(sql); err != nil {
		return err
	}
	ns, err := sqlite.NewNamespaceConfig(cfg.ClusterMetadata.CurrentClusterName, namespace, false, nil)
	if err != nil {
		return err
	}
	if err := sqlite.CreateNamespaces(sql, ns); err != nil {
		return err
	}
	return os.Rename(unfinished, file)
}

// freePorts returns the port of the address and others of the same interface,
// all free and all different.
func freePorts(at netip.AddrPort, n int) (ports []int, err error) {
	for range n {
		l, listenErr := net.Listen("tcp", at.String())
		if listenErr != nil {
			return nil, listenErr
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		at = netip.AddrPortFrom(at.Addr(), 0)
	}
	return ports, nil
}
