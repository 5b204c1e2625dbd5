package simulator

// A protocol says how an answer of an operation looks when something is wrong.
type protocol int

const (
	soapProtocol protocol = iota + 1
	restProtocol
	pageProtocol
)

// An Operation is something that the simulation can be asked for, by the name
// that [Fault] knows it by.
type Operation struct {
	Name    string
	Meaning string
	Changes bool // what it may change is outside of the request itself

	protocol protocol
	shared   bool // concerns no environment by itself
}

// Operations lists every operation.
func Operations() []Operation {
	return []Operation{
		{"GetPlatformInfo", "version and serial number of a server, without credentials", false, soapProtocol, false},
		{"SetLicense", "installs a license", true, soapProtocol, false},
		{"WSDL", "the description of one of Service Center's services", false, soapProtocol, false},
		{"Modules_Get", "the modules of an environment", false, soapProtocol, false},
		{"Module_GetVersions", "the published version of a module", false, soapProtocol, false},
		{"Staging_PublishWith2StepOption", "begins the publication of a module", true, restProtocol, false},
		{"PublishRunningVersion", "begins the publication of a prepared solution", true, soapProtocol, false},
		{"SolutionPack_GetPublishMessages", "what a publication has said", false, soapProtocol, false},
		{"SolutionPack_PublishContinue", "begins the second step of a publication", true, soapProtocol, false},
		{"SolutionPack_PublishAbort", "ends a publication after the first step", true, soapProtocol, false},
		{"LicensingPage", "Service Center's page about the installed license", false, pageProtocol, false},
		{"UploadPage", "installs a license, by a person", true, pageProtocol, false},
		{"BackupLicense", "downloads the installed license", false, pageProtocol, false},
		{"environments", "LifeTime's list of environments", false, restProtocol, true},
		{"environment", "one environment of LifeTime", false, restProtocol, false},
		{"deployments", "LifeTime's list of deployments", false, restProtocol, true},
		{"deploymentStatus", "the status of one deployment", false, restProtocol, true},
		{"maintenanceMode", "pauses or resumes the deployments to an environment", true, restProtocol, false},
		{"LifeTimePage", "LifeTime's page about the environments", false, pageProtocol, true},
		{"PausePage", "pauses or resumes the deployments to an environment, by a person", true, pageProtocol, false},
		{"PortalPage", "the vendor's page with the activation codes", false, pageProtocol, true},
		{"InfrastructurePage", "the vendor's page with the environments under a code", false, pageProtocol, true},
		{"DownloadLicense", "downloads a license from the vendor", false, pageProtocol, false},
		{"RegisterEnvironment", "registers a serial number with the vendor", true, pageProtocol, false},
		{"SupportPage", "the vendor's page with the support cases", false, pageProtocol, true},
		{"FindCase", "finds a support case", false, pageProtocol, true},
		{"OpenCase", "opens a support case", true, pageProtocol, true},
	}
}

// operationNamed finds an operation; the zero Operation is none.
func operationNamed(name string) Operation {
	for _, op := range Operations() {
		if op.Name == name {
			return op
		}
	}
	return Operation{}
}
