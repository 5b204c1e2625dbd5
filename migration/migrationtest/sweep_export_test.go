package migrationtest

import (
	"context"
	"testing"
)

// Points runs a subject as it is and returns the points of its sweep, each with
// what hits it.
func Points(ctx context.Context, t testing.TB, fresh func(testing.TB) Subject) (names []string, hitAt func(i int) error, err error) {
	plain, err := hit(ctx, fresh(t), point{}, nil)
	if err != nil {
		return nil, nil, err
	}
	all := plain.points()
	for _, p := range all {
		names = append(names, p.name)
	}
	return names, func(i int) error {
		_, err := hit(ctx, fresh(t), all[i], plain)
		return err
	}, nil
}
