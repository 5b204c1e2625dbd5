package adaptertest

import "context"

// A Clause is a clause as the tests of the suites see it.
type Clause[H any] struct {
	Name, Text string
	Run        func(ctx context.Context, h H) (skipped string, broken error)
}

func export[H harness](clauses []clause[H]) []Clause[H] {
	var out []Clause[H]
	for _, c := range clauses {
		out = append(out, Clause[H]{c.name, c.text, c.run})
	}
	return out
}

// The clauses of the suites.
func LicensePortalClauses() []Clause[LicensePortalHarness] { return export(licensePortalClauses()) }
func ServiceCenterClauses() []Clause[ServiceCenterHarness] { return export(serviceCenterClauses()) }
func LifeTimeClauses() []Clause[LifeTimeHarness]           { return export(lifeTimeClauses()) }
func BackupVaultClauses() []Clause[BackupVaultHarness]     { return export(backupVaultClauses()) }
func SupportDeskClauses() []Clause[SupportDeskHarness]     { return export(supportDeskClauses()) }
func OperatorClauses() []Clause[OperatorHarness]           { return export(operatorClauses()) }
