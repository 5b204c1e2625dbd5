package main

import (
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestThePortsAreAllDifferent(t *testing.T) {
	ports, err := freePorts(20)
	if err != nil || len(ports) != 20 {
		t.Fatal(ports, err)
	}
	slices.Sort(ports)
	if ports[0] <= 0 || len(slices.Compact(ports)) != 20 {
		t.Errorf("got %v", ports)
	}
}

func TestTheServerIsDurableAndReachedOnLoopbackOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "temporal.sqlite")
	cfg, err := configuration(file)
	if err != nil {
		t.Fatal(err)
	}
	sql := cfg.Persistence.DataStores[cfg.Persistence.DefaultStore].SQL
	if sql.DatabaseName != file || sql.ConnectAttributes["synchronous"] != "2" || sql.ConnectAttributes["journal_mode"] != "wal" {
		t.Errorf("the database is %q with %v", sql.DatabaseName, sql.ConnectAttributes)
	}
	// What the page says of it.
	for _, said := range []string{"journal_mode=WAL", "synchronous=FULL", "one history shard"} {
		if !strings.Contains(settings, said) {
			t.Errorf("%q is not in %q", said, settings)
		}
	}
	if cfg.Persistence.NumHistoryShards != 1 {
		t.Errorf("it has %d history shards", cfg.Persistence.NumHistoryShards)
	}
	used := map[int]string{}
	for name, service := range cfg.Services {
		if !service.RPC.BindOnLocalHost {
			t.Errorf("%s is reached from outside", name)
		}
		for _, port := range []int{service.RPC.GRPCPort, service.RPC.MembershipPort} {
			if other := used[port]; port == 0 || other != "" {
				t.Errorf("%s has the port %d of %q", name, port, other)
			}
			used[port] = name
		}
	}
	if want := used[cfg.Services["frontend"].RPC.GRPCPort]; want != "frontend" || !strings.HasPrefix(cfg.PublicClient.HostPort, loopback+":") {
		t.Errorf("the client goes to %s", cfg.PublicClient.HostPort)
	}
}

func TestWithoutADirectoryNothingIsStarted(t *testing.T) {
	for _, args := range [][]string{nil, {"one", "two"}} {
		if err := run(t.Context(), args, strings.NewReader(""), io.Discard); err == nil || !strings.Contains(err.Error(), "directory") {
			t.Errorf("%q: got %v", args, err)
		}
	}
}

// The benchmark reads these names: see internal/bench/contender.
func TestTheAnswerHasTheNamesThatTheBenchmarkReads(t *testing.T) {
	b, err := json.Marshal(answer{Version: "v", Settings: "s", Error: "e", Marks: [][steps]int64{{1, 2, 3, 4, 5, 6}}, Mallocs: 7, Bytes: 8})
	if want := `{"version":"v","settings":"s","error":"e","marks":[[1,2,3,4,5,6]],"mallocs":7,"bytes":8}`; err != nil || string(b) != want {
		t.Errorf("got %s, %v, want %s", b, err, want)
	}
	var r request
	if err := json.Unmarshal([]byte(`{"instances":2,"inFlight":1}`), &r); err != nil || r != (request{Instances: 2, InFlight: 1}) {
		t.Errorf("got %+v, %v", r, err)
	}
}
