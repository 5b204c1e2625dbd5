package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
)

const (
	namespace = "bench"
	loopback  = "127.0.0.1"
	settings  = "one server process with SQLite file, journal_mode=WAL, synchronous=FULL, one history shard, as the development server has it; " +
		"worker and client with the SDK's defaults, over loopback"
)

// A server is a Temporal server with a worker and a client.
type server struct {
	server temporal.Server
	client client.Client
	worker worker.Worker
	work   work
	runs   int
}

func start(ctx context.Context, file string) (*server, error) {
	cfg, err := configuration(file)
	if err != nil {
		return nil, err
	}
	sql := cfg.Persistence.DataStores[sqliteplugin.PluginName].SQL
	if err := sqlite.SetupSchema(sql); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	ns, err := sqlite.NewNamespaceConfig(cfg.ClusterMetadata.CurrentClusterName, namespace, false, nil)
	if err != nil {
		return nil, err
	}
	if err := sqlite.CreateNamespaces(sql, ns); err != nil {
		return nil, fmt.Errorf("namespace: %w", err)
	}
	s := new(server)
	if s.server, err = temporal.NewServer(
		temporal.WithConfig(cfg), temporal.ForServices(temporal.DefaultServices), temporal.WithLogger(log.NewNoopLogger()),
	); err != nil {
		return nil, err
	}
	if err := s.server.Start(); err != nil {
		return nil, err
	}
	if s.client, err = client.DialContext(ctx, client.Options{
		HostPort: cfg.PublicClient.HostPort, Namespace: namespace, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	}); err != nil {
		return nil, errors.Join(err, s.server.Stop())
	}
	s.worker = worker.New(s.client, queue, worker.Options{})
	s.work.register(s.worker)
	if err := s.worker.Start(); err != nil {
		s.client.Close()
		return nil, errors.Join(err, s.server.Stop())
	}
	return s, nil
}

func (s *server) stop() error {
	s.worker.Stop()
	s.client.Close()
	return s.server.Stop()
}

// configuration is that of a server in one process, on ports that are free.
func configuration(file string) (*config.Config, error) {
	ports, err := freePorts(9)
	if err != nil {
		return nil, err
	}
	next := func() int {
		port := ports[0]
		ports = ports[1:]
		return port
	}
	frontend := next()
	service := func(grpc int) config.Service {
		return config.Service{RPC: config.RPC{GRPCPort: grpc, MembershipPort: next(), BindOnLocalHost: true}}
	}
	address := fmt.Sprintf("%s:%d", loopback, frontend)
	disabled := "disabled"
	return &config.Config{
		Global: config.Global{
			Membership: config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: loopback},
			PProf:      config.PProf{Port: next()},
		},
		Persistence: config.Persistence{
			DefaultStore: sqliteplugin.PluginName, VisibilityStore: sqliteplugin.PluginName, NumHistoryShards: 1,
			DataStores: map[string]config.DataStore{sqliteplugin.PluginName: {SQL: &config.SQL{
				PluginName: sqliteplugin.PluginName, DatabaseName: file,
				ConnectAttributes: map[string]string{"mode": "rwc", "journal_mode": "wal", "synchronous": "2"},
			}}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10, MasterClusterName: "active", CurrentClusterName: "active",
			ClusterInformation: map[string]cluster.ClusterInformation{"active": {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services: map[string]config.Service{
			"frontend": service(frontend), "history": service(next()), "matching": service(next()), "worker": service(next()),
		},
		Archival: config.Archival{History: config.HistoryArchival{State: disabled}, Visibility: config.VisibilityArchival{State: disabled}},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: disabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: disabled},
		}},
		PublicClient: config.PublicClient{HostPort: address},
	}, nil
}

// freePorts returns ports of the loopback interface that nobody uses, all
// different.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, listenErr := net.Listen("tcp", loopback+":0")
		if listenErr != nil {
			return nil, listenErr
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
