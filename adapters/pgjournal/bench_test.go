package pgjournal_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/adapters/pgjournal/internal/pgtest"
)

// BenchmarkAppend compares an append with a bare INSERT of the same bytes, taking
// turns on one server, so that both meet the same weather. The figure to look at
// is "x-bare", of the medians: a disk that others use has outliers.
func BenchmarkAppend(b *testing.B) {
	for _, batch := range []uint64{1, 64} {
		b.Run(fmt.Sprintf("batch of %d", batch), func(b *testing.B) {
			own := diskServer(b)
			config := own.Config(b, "postgres")
			own.Exec(b, "postgres", "CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entry json NOT NULL)")
			s := open(b, config, nil)
			bare := connect(b, config)
			const insert = "INSERT INTO bare (entry) SELECT e::json FROM unnest($1::text[]) AS e"
			ctx := context.WithoutCancel(b.Context())
			if err := s.Append(ctx, 0, noted(1, batch)...); err != nil {
				b.Fatal(err)
			}
			last := batch
			lines := texts(b, bare)
			if _, err := bare.Exec(ctx, insert, lines); err != nil { // prepares it
				b.Fatal(err)
			}
			var ours, theirs []time.Duration
			for b.Loop() {
				entries := noted(last+1, last+batch)
				began := time.Now()
				if err := s.Append(ctx, last, entries...); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				if _, err := bare.Exec(ctx, insert, lines); err != nil {
					b.Fatal(err)
				}
				ours = append(ours, between.Sub(began))
				theirs = append(theirs, time.Since(between))
				last += batch
			}
			b.ReportMetric(float64(median(ours).Microseconds()), "µs/append")
			b.ReportMetric(float64(median(theirs).Microseconds()), "µs/bare")
			b.ReportMetric(float64(median(ours))/float64(median(theirs)), "x-bare")
		})
	}
}

// diskServer starts a server with tables, on a disk that takes its time.
func diskServer(b *testing.B) *pgtest.Server {
	b.Helper()
	own := pgtest.StartIn(b, "")
	if err := pgjournal.Migrate(b.Context(), own.Config(b, "postgres"), nil); err != nil {
		b.Fatal(err)
	}
	return own
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// BenchmarkRead reads a journal of 100,000 entries.
func BenchmarkRead(b *testing.B) {
	s := open(b, diskServer(b).Config(b, "postgres"), nil)
	const entries, batch = 100_000, 1000
	for last := uint64(0); last < entries; last += batch {
		if err := s.Append(context.WithoutCancel(b.Context()), last, noted(last+1, last+batch)...); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		n := 0
		for _, err := range s.Read(context.WithoutCancel(b.Context())) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != entries {
			b.Fatalf("%d entries", n)
		}
	}
	b.ReportMetric(entries*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// texts are the entries of a journal as they are stored.
func texts(b *testing.B, conn *pgx.Conn) (all []string) {
	b.Helper()
	rows, err := conn.Query(b.Context(), "SELECT entry::text FROM changeover.entry ORDER BY seq")
	if err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			b.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return all
}
