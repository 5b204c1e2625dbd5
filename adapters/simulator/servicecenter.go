package simulator

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// platformVersion is the version that every environment states.
const platformVersion = "11.43.0.50000"

// The errors of Service Center that facts.md 3 and 6 do not spell out.
const (
	noPermission  = "The user does not have permissions to perform this operation."
	badFile       = "There was an internal error installing the license"
	invalidLogin  = "Invalid username or password."
	unknownPublic = "There is no such publication."
)

// serviceCenter finds the route of a call to the Service Center of env; path
// is what follows its address.
func serviceCenter(c call, env environment.Environment, path string) (served, bool) {
	lower := strings.ToLower(path)
	rest, ok := strings.CutPrefix(lower, "/servicecenter/")
	if !ok {
		return served{}, false
	}
	for _, s := range []service{outSystemsPlatform(), platformServices(), solutions()} {
		if rest == strings.ToLower(s.name)+".asmx" {
			return s.route(c, env), true
		}
	}
	switch rest {
	case "rest/platformservices/staging_publishwith2stepoption":
		return served{"Staging_PublishWith2StepOption", env.Name, func(ctx context.Context, p platform) answer { return p.stagingPublish(ctx, c, env) }}, true
	case "licensing":
		return served{"LicensingPage", env.Name, func(ctx context.Context, p platform) answer { return p.licensingPage(ctx, c, env) }}, true
	case "licensing/upload":
		return served{"UploadPage", env.Name, func(ctx context.Context, p platform) answer { return p.uploadPage(ctx, c, env) }}, true
	case "licensing/backup":
		return served{"BackupLicense", env.Name, func(ctx context.Context, p platform) answer { return p.backupLicense(ctx, c, env) }}, true
	}
	return served{}, false
}

// route finds the operation of a call to a SOAP service.
func (s service) route(c call, env environment.Environment) served {
	switch c.Method {
	case http.MethodGet:
		if !strings.EqualFold(c.Query, "wsdl") {
			return served{env: env.Name, does: always(notFound())}
		}
		return served{"WSDL", env.Name, always(answer{
			status: http.StatusOK, kind: "text/xml; charset=utf-8",
			body: s.wsdl(strings.TrimRight(env.ServiceCenter, "/") + "/ServiceCenter/" + s.name + ".asmx"),
		})}
	case http.MethodPost:
	default:
		return served{env: env.Name, does: always(notAllowed())}
	}
	in, err := soapRequest(c)
	if err != nil {
		return served{env: env.Name, does: always(soapFault("Client", "The request cannot be read: "+err.Error()))}
	}
	op, err := s.operation(in, c.Action)
	if err != nil {
		return served{env: env.Name, does: always(soapFault("Client", err.Error()))}
	}
	return served{op.name, env.Name, func(ctx context.Context, p platform) answer { return p.soap(ctx, s, op, in, env) }}
}

func always(a answer) func(context.Context, platform) answer {
	return func(context.Context, platform) answer { return a }
}

// soap carries out an operation.
func (p platform) soap(ctx context.Context, s service, op operation, in element, env environment.Environment) answer {
	args := make([]string, len(op.in))
	for i, param := range op.in {
		args[i], _ = in.child(param.name)
	}
	switch op.name {
	case "GetPlatformInfo":
		return op.respond(platformVersion, string(p.world.Installed(env.Name).Server))
	case "SetLicense":
		if !p.known(args[0], args[1]) {
			return op.respond("false", noPermission)
		}
		return p.setLicense(ctx, op, env, args[2])
	}
	if !p.known(args[0], args[1]) {
		return soapFault("Server", invalidLogin)
	}
	p.tick(ctx, env.Name)
	args = args[2:]
	switch op.name {
	case "Modules_Get":
		return p.modules(op, env)
	case "Module_GetVersions":
		return p.versions(op, env, args[0])
	case "SolutionPack_GetPublishMessages":
		return p.messages(op, env, args[0], args[1])
	case "SolutionPack_PublishContinue":
		return p.proceed(op, env, args[0], publishing)
	case "SolutionPack_PublishAbort":
		return p.proceed(op, env, args[0], aborted)
	case "PublishRunningVersion":
		return p.publishSolution(op, env, args[0])
	}
	return soapFault("Server", op.name+" is not simulated.")
}

// setLicense installs the license file in base64.
func (p platform) setLicense(ctx context.Context, op operation, env environment.Environment, content string) answer {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(content), ""))
	if err != nil {
		return soapFault("Client", "fileContent is not base64.")
	}
	text, condition := p.upload(ctx, env, b)
	switch {
	case condition == nil:
		return op.respond("true", "")
	case text == "":
		return answer{silent: true}
	}
	return op.respond("false", text)
}

// upload installs a license file; otherwise it says why it was turned down. No
// text means that the world takes the answer with it.
func (p platform) upload(ctx context.Context, env environment.Environment, b []byte) (text string, condition *adapters.Condition) {
	file, err := license.NewFile(b)
	if err != nil {
		return badFile, adapters.ErrRejected
	}
	err = p.world.Set().ServiceCenter.UploadLicense(ctx, env, file)
	switch condition = adapters.ConditionOf(err); {
	case err == nil:
		return "", nil
	case condition == nil:
		return "", adapters.ErrRejected
	case condition == adapters.ErrPermission:
		return noPermission, condition
	case condition == adapters.ErrWrongEnvironment:
		if d, err := license.Inspect(file); err == nil {
			return invalidSerial(d.Serial), condition
		}
	}
	return said(env.Name, err), condition
}

// invalidSerial is what Service Center says of a license for another server
// (facts.md 6).
func invalidSerial(serial license.SerialNumber) string {
	return "Your license is invalid as it was issued for a different server with the following serial number '" + string(serial) + "'"
}
