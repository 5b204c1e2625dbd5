package scene_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/migration"
)

func TestEveryPlanIsValid(t *testing.T) {
	for _, profile := range migration.Profiles() {
		for n := 2; n <= scene.Environments; n++ {
			p := scene.Plan(profile.Name, n)
			require.NoError(t, p.Validate().Err(), "%s over %d", profile.Name, n)
			require.Len(t, p.Infrastructure.Environments, n)
		}
	}
}
