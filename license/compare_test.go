package license_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/license"
)

// ladder holds limits that mean the same in one row, and less than the next
// row.
func ladder() [][]string {
	return [][]string{
		{"Feature Unavailable", "feature unavailable", " FEATURE UNAVAILABLE ", "0", "00", "0.0"},
		{"Evaluation Only", "evaluation only"},
		{"0.1", "00.01"},
		{"1", "01", "1.0", "1.0.0"},
		{"1.0.1"},
		{"2"},
		{"9", "9.0"},
		{"10.0", "10", "010"},
		{"10.9"},
		{"10.10"},
		{"11", "11.0"},
		{"11.0.0.1"},
		{"100"},
		{"99999999999999999999999998"},
		{"99999999999999999999999999"},
		{"Unlimited", "unlimited", "Unlimited "},
	}
}

// words are limits that cannot be ranked.
func words() []string {
	return []string{"", "SQL Server Standard", "SQL Server Enterprise", "Shutdown", "-1", "+1", "1,000", "1.", ".1", "1..2", "1e3", "0x10", "10 users", "unlimited users", "١٠"}
}

func feature(limit string) []license.Feature {
	return []license.Feature{{ID: "Users", Name: "IT Users", Limit: limit}}
}

func TestLimitsAreRanked(t *testing.T) {
	for a, row := range ladder() {
		for b, other := range ladder() {
			for _, source := range row {
				for _, target := range other {
					lacks := license.Compare(feature(source), feature(target))
					if b < a {
						require.Equal(t, []license.Lack{{Feature: "IT Users", Source: source, Target: target}}, lacks)
					} else {
						require.Empty(t, lacks, "%q in place of %q", target, source)
					}
				}
			}
		}
	}
}

func TestLimitsThatCannotBeRankedHaveToBeTheSame(t *testing.T) {
	rows := ladder()
	for _, word := range words() {
		require.Empty(t, license.Compare(feature(word), feature(word)), word)
		require.Empty(t, license.Compare(feature(word), feature(" "+strings.ToUpper(word))), word)
		for _, other := range words() {
			require.Equal(t, word != other, len(license.Compare(feature(word), feature(other))) == 1, "%q and %q", word, other)
		}
		for n, row := range rows {
			for _, ranked := range row {
				require.Len(t, license.Compare(feature(word), feature(ranked)), 1, "%q in place of %q", ranked, word)
				// What the source license does not grant cannot be lacked.
				require.Equal(t, n > 0, len(license.Compare(feature(ranked), feature(word))) == 1, "%q in place of %q", word, ranked)
			}
		}
	}
}

func TestFeaturesThatAreMissingAreLacksIfTheyWereGranted(t *testing.T) {
	for n, row := range ladder() {
		for _, limit := range row {
			var want []license.Lack
			if n > 0 {
				want = []license.Lack{{Feature: "IT Users", Source: limit}}
			}
			require.Equal(t, want, license.Compare(feature(limit), nil))
			require.Empty(t, license.Compare(nil, feature(limit)), "more is never a lack")
		}
	}
	for _, word := range words() {
		require.Len(t, license.Compare(feature(word), nil), 1)
	}
}

func TestFeaturesAreMatchedByIDOrByName(t *testing.T) {
	for _, c := range []struct {
		name           string
		source, target license.Feature
		same           bool
	}{
		{"the same ID and name", license.Feature{ID: "a", Name: "A"}, license.Feature{ID: "a", Name: "A"}, true},
		{"the same ID, renamed", license.Feature{ID: "a", Name: "A"}, license.Feature{ID: "a", Name: "B"}, true},
		{"the same ID in upper case", license.Feature{ID: "a"}, license.Feature{ID: "A"}, true},
		{"another ID under the same name", license.Feature{ID: "a", Name: "A"}, license.Feature{ID: "b", Name: "A"}, false},
		{"a page for a file", license.Feature{ID: "a", Name: "A"}, license.Feature{Name: "a"}, true},
		{"a file for a page", license.Feature{Name: "A"}, license.Feature{ID: "a", Name: "A"}, true},
		{"a page for a page", license.Feature{Name: "A"}, license.Feature{Name: "A"}, true},
		{"a page with another name", license.Feature{Name: "A"}, license.Feature{Name: "B"}, false},
		{"an ID that is another's name", license.Feature{ID: "a"}, license.Feature{Name: "a"}, false},
		{"names that are empty", license.Feature{ID: "a"}, license.Feature{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.source.Limit, c.target.Limit = "10", "10"
			require.Equal(t, c.same, len(license.Compare([]license.Feature{c.source}, []license.Feature{c.target})) == 0)
			c.target.Limit = "9"
			want := license.Lack{Feature: c.source.Name, Source: "10"}
			if c.source.Name == "" {
				want.Feature = c.source.ID
			}
			if c.same {
				want.Target = "9"
			}
			require.Equal(t, []license.Lack{want}, license.Compare([]license.Feature{c.source}, []license.Feature{c.target}))
		})
	}
	require.Empty(t, license.Compare([]license.Feature{{Limit: "10"}}, nil), "what has no name is no feature")
}

func TestIntellectualPropertyIsNeverALack(t *testing.T) {
	for _, source := range []license.IPP{license.Ignore, license.Protected, license.Unprotected} {
		for _, target := range []license.IPP{license.Ignore, license.Protected, license.Unprotected, "Feature Unavailable"} {
			require.Empty(t, license.Compare([]license.Feature{{ID: "IPP", Limit: string(source)}}, []license.Feature{{ID: "IPP", Limit: string(target)}}))
		}
		require.Empty(t, license.Compare([]license.Feature{{ID: "IPP", Limit: string(source)}}, nil))
		require.Empty(t, license.Compare([]license.Feature{{Name: "Intellectual Property", Limit: string(source)}}, nil))
	}
}

func TestAFeatureThatTheTargetRepeatsCountsWithTheLack(t *testing.T) {
	for _, limits := range [][]string{{"5", "20"}, {"20", "5"}, {"20", "5", "4"}} {
		var target []license.Feature
		for _, l := range limits {
			target = append(target, feature(l)...)
		}
		require.Equal(t, []license.Lack{{Feature: "IT Users", Source: "10", Target: "5"}}, license.Compare(feature("10"), target))
	}
}

func TestLacksComeInTheOrderOfTheSource(t *testing.T) {
	var source, target []license.Feature
	for n := range 500 {
		source = append(source, license.Feature{ID: fmt.Sprintf("f%d", (n*7919)%500), Limit: "2"})
		if n%2 == 0 {
			target = append(target, license.Feature{ID: fmt.Sprintf("f%d", n), Limit: "1"})
		}
	}
	first := license.Compare(source, target)
	require.Len(t, first, 500)
	for n, l := range first {
		require.Equal(t, source[n].ID, l.Feature)
	}
	slices.Reverse(target)
	require.Equal(t, first, license.Compare(source, target))
}

func TestALackIsSafeToPrint(t *testing.T) {
	for _, l := range []license.Lack{{"a\x1b[2J\n", "b\u202e", "c\x00"}, {"a\x1b[2J\n", "b\u202e", ""}} {
		for _, r := range l.String() {
			require.True(t, r >= ' ' && r != 0x7f && r != 0x202e, "%q", l.String())
		}
	}
}

func ExampleCompare() {
	source := []license.Feature{
		{ID: "IPP", Name: "Intellectual Property", Limit: "Ignore"},
		{ID: "ActiveNamedUsers", Name: "Active Named Users", Limit: "Unlimited"},
		{ID: "Upgrade", Name: "Platform Upgrade", Limit: "11"},
		{ID: "LifecycleConsole", Name: "LifeTime", Limit: "Unlimited"},
	}
	target := []license.Feature{
		{ID: "IPP", Name: "Intellectual Property", Limit: "Protected"},
		{ID: "ActiveNamedUsers", Name: "Active Named Users", Limit: "100"},
		{ID: "Upgrade", Name: "Platform Upgrade", Limit: "10.0"},
	}
	for _, lack := range license.Compare(source, target) {
		fmt.Println(lack)
	}
	// Output:
	// "Active Named Users" is "100"; the source license has "Unlimited"
	// "Platform Upgrade" is "10.0"; the source license has "11"
	// "LifeTime" is missing; the source license has "Unlimited"
}
