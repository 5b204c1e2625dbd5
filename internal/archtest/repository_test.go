package archtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// none fails with everything that is wrong, one line each.
func none(t *testing.T, wrong []string) {
	t.Helper()
	if len(wrong) > 0 {
		t.Errorf("%d found:\n%s", len(wrong), strings.Join(wrong, "\n"))
	}
}

// each applies a rule to every package.
func each(pkgs []pkg, rule func(pkg) []string) []string {
	var wrong []string
	for _, p := range pkgs {
		wrong = append(wrong, rule(p)...)
	}
	return wrong
}

func TestSources(t *testing.T) {
	pkgs := load(t)
	t.Run("packages import what the floor plan permits", func(t *testing.T) { none(t, checkImports(floorPlan, pkgs)) })
	t.Run("every package of the floor plan exists", func(t *testing.T) { none(t, checkExistence(floorPlan, pkgs)) })
	t.Run("tests keep apart what is apart", func(t *testing.T) { none(t, checkTestImports(pkgs)) })
	t.Run("every package has one comment that begins with its name", func(t *testing.T) { none(t, each(pkgs, checkPackageComment)) })
	t.Run("everything exported is documented", func(t *testing.T) { none(t, each(pkgs, checkDocumented)) })
	t.Run("links in comments lead somewhere", func(t *testing.T) { none(t, checkLinks(pkgs)) })
	t.Run("nothing forbidden is used", func(t *testing.T) { none(t, checkBans(floorPlan, bans, exceptions, pkgs)) })
	t.Run("variables of packages do not vary", func(t *testing.T) { none(t, each(pkgs, checkVariables)) })
}

func TestModules(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		t.Run("programs on "+system, func(t *testing.T) {
			g := newGraph(goList[node](t, []string{"GOOS=" + system, "CGO_ENABLED=0"}, "-deps", "-json=ImportPath,Imports,Standard,Module", "./..."))
			t.Run("reach neither testing nor testify nor a test kit", func(t *testing.T) { none(t, checkReach(floorPlan, g)) })
			var programs []string
			for _, p := range floorPlan {
				if !p.kit() {
					programs = append(programs, strings.TrimSuffix(module+"/"+p.pkg, "/."))
				}
			}
			t.Run("compile in the modules that were agreed to", func(t *testing.T) { none(t, checkModules(programModules, g.modules(programs...))) })
			t.Run("get few modules with the root package", func(t *testing.T) {
				require.LessOrEqual(t, len(g.modules(module)), maxProgramModules)
			})
		})
	}
	t.Run("tests compile in the modules that were agreed to", func(t *testing.T) {
		nodes := goList[node](t, nil, "-deps", "-test", "-json=ImportPath,Imports,Standard,Module", "./...")
		var found []string
		for _, n := range nodes {
			if !n.Standard && n.Module != nil && !n.Module.Main {
				found = append(found, n.Module.Path)
			}
		}
		none(t, checkModules(slices.Concat(programModules, testModules), slices.Compact(slices.Sorted(slices.Values(found)))))
	})
	t.Run("go.mod is as consumers need it", func(t *testing.T) {
		var m goMod
		require.NoError(t, json.Unmarshal(run(t, nil, "go", "mod", "edit", "-json"), &m))
		none(t, checkGoMod(m))
	})
	t.Run("every module is listed", func(t *testing.T) {
		list, err := os.ReadFile(filepath.Join(root, moduleListFile))
		require.NoError(t, err)
		none(t, checkModuleList(string(list), tree(t)))
	})
}

func TestText(t *testing.T) {
	for _, name := range tree(t) {
		info, err := os.Lstat(filepath.Join(root, name))
		require.NoError(t, err)
		if !info.Mode().IsRegular() {
			t.Errorf("%s: not a regular file", name)
			continue
		}
		b, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		none(t, checkText(name, b))
	}
}

func TestFloorPlanIsShown(t *testing.T) {
	name := filepath.Join(root, contributingFile)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(b), floorPlanBeginning)
	require.True(t, found, "%s: no line %s", contributingFile, floorPlanBeginning)
	shown, after, found := strings.Cut(rest, floorPlanEnd)
	require.True(t, found, "%s: no line %s", contributingFile, floorPlanEnd)
	want := renderFloorPlan(floorPlan)
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		require.NoError(t, os.WriteFile(name, []byte(before+floorPlanBeginning+want+floorPlanEnd+after), 0o644))
		return
	}
	require.Equal(t, want, shown, "run make golden")
}
