#!/bin/sh
# Asks a started simulator what facts.md documents, with nothing but curl, and
# compares the statuses and the documented parts of the answers.
#
#   testdata/curl.sh ADDRESS LICENSE
#
# ADDRESS is the simulator's host and port. LICENSE is a license file that
# Production accepts. The world is that of cmd/simulator without a plan.
set -eu

address=$1
license=$2
user='simulated.admin:#simulated-0123456789abcdef'
bearer='Authorization: Bearer simulated-lifetime-token'
json='Content-Type: application/json'
xml='Content-Type: text/xml; charset=utf-8'
sc=https://prd.example.test/ServiceCenter
lt=https://lt.example.test/lifetimeapi/rest/v2

# ask WHAT STATUS CURL-ARGUMENTS...: makes a request; leaves the body in $body.
ask() {
	what=$1 want=$2
	shift 2
	answer=$(curl -k -s -S --connect-to "::$address" -w '\n%{http_code}' "$@")
	status=$(printf '%s' "$answer" | tail -n 1)
	body=$(printf '%s' "$answer" | sed '$d')
	if [ "$status" != "$want" ]; then
		printf 'FAILED %s: status %s, want %s\n%s\n' "$what" "$status" "$want" "$body"
		exit 1
	fi
	printf 'ok     %s: %s\n' "$what" "$status"
}

# says TEXT: the body has to contain it.
says() {
	case $body in
	*"$1"*) ;;
	*)
		printf 'FAILED %s: the answer does not say %s\n%s\n' "$what" "$1" "$body"
		exit 1
		;;
	esac
}

# field NAME: the text of the first XML element of that name in the body.
field() { printf '%s' "$body" | sed -n "s:.*<$1>\([^<]*\)</$1>.*:\1:p"; }

# soap OPERATION [INNER]: a SOAP 1.1 request.
soap() {
	printf '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><%s xmlns="http://www.outsystems.com">%s</%s></soap:Body></soap:Envelope>' "$1" "${2-}" "$1"
}

# facts.md 3.1: GetPlatformInfo, without credentials.
ask 'GetPlatformInfo' 200 "$sc/OutSystemsPlatform.asmx" -H "$xml" \
	-H 'SOAPAction: "http://ServiceCenter/OutSystemsPlatform/GetPlatformInfo"' -d "$(soap GetPlatformInfo)"
says '<GetPlatformInfoResponse xmlns="http://www.outsystems.com">'
says '<Version>11.'
says '<Serial>PRD-AAA-AAA-AAA-AAA-AAA-AAA-AAA</Serial>'

# facts.md 3.1: SetLicense. A refusal is status 200 with success=false.
soap SetLicense "<username>simulated.admin</username><password>#wrong</password><fileContent></fileContent>" >"$license.xml"
ask 'SetLicense with a wrong password' 200 "$sc/OutSystemsPlatform.asmx" -H "$xml" \
	-H 'SOAPAction: "http://ServiceCenter/OutSystemsPlatform/SetLicense"' --data-binary "@$license.xml"
says '<success>false</success>'
says 'permissions'
soap SetLicense "<username>simulated.admin</username><password>${user#*:}</password><fileContent>bm8gbGljZW5zZQ==</fileContent>" >"$license.xml"
ask 'SetLicense of something else' 200 "$sc/OutSystemsPlatform.asmx" -H "$xml" \
	-H 'SOAPAction: "http://ServiceCenter/OutSystemsPlatform/SetLicense"' --data-binary "@$license.xml"
says '<success>false</success><errorText>There was an internal error installing the license</errorText>'
soap SetLicense "<username>simulated.admin</username><password>${user#*:}</password><fileContent>$(base64 "$license" | tr -d '\n')</fileContent>" >"$license.xml"
ask 'SetLicense' 200 "$sc/OutSystemsPlatform.asmx" -H "$xml" \
	-H 'SOAPAction: "http://ServiceCenter/OutSystemsPlatform/SetLicense"' --data-binary "@$license.xml"
says '<SetLicenseResponse xmlns="http://www.outsystems.com"><success>true</success></SetLicenseResponse>'
ask 'a request that is no SOAP' 500 "$sc/OutSystemsPlatform.asmx" -H "$xml" -d 'hello'
says '<faultstring>'

# facts.md 3.3: the licensing page shows it.
ask 'the licensing page without credentials' 401 "$sc/Licensing"
ask 'the licensing page' 200 "$sc/Licensing" -u "$user"
says 'BBB.BBB.B1B.B0B.BBB.BBB.BBB.BBB'

# facts.md 2.1: LifeTime's environments; LifeTime itself is not among them.
ask 'environments without a token' 401 "$lt/environments/"
says '"StatusCode":401'
ask 'environments' 200 "$lt/environments/" -H "$bearer"
says '"HostName":"prd.example.test"'
says '"IsOffline":false'
case $body in *LifeTime*) echo 'FAILED environments: LifeTime lists itself'; exit 1 ;; esac
key=$(printf '%s' "$body" | sed 's/.*"Key":"\([^"]*\)","Name":"Production".*/\1/')
ask 'one environment' 200 "$lt/environments/$key/" -H "$bearer"
says '"Name":"Production"'
ask 'an environment that there is not' 404 "$lt/environments/00000000-0000-0000-0000-000000000000/" -H "$bearer"
says '"Errors":['

# facts.md 2.2: an empty list is 204 without a body.
ask 'deployments' 204 "$lt/deployments/?MinDate=2000-01-01&TargetEnvironmentKey=$key" -H "$bearer"
[ -z "$body" ] || { echo 'FAILED deployments: 204 with a body'; exit 1; }

# facts.md 2.3: maintenance mode on, read back, and off.
ask 'maintenance mode on' 200 -X PUT "$lt/environments/$key/maintenancemode" -H "$bearer" -H "$json" \
	-d '{"IsMaintenanceModeEnabled": true, "Reason": "change of the activation code"}'
ask 'the environment in maintenance mode' 200 "$lt/environments/$key/" -H "$bearer"
says '"IsOffline":true'
ask 'maintenance mode off' 200 -X PUT "$lt/environments/$key/maintenancemode" -H "$bearer" -H "$json" \
	-d '{"IsMaintenanceModeEnabled": false, "Reason": ""}'

# facts.md 3.4: the module's key, a publish over REST, and its messages. The
# names of the elements of PlatformServices come from its WSDL.
ask 'the WSDL of PlatformServices' 200 "$sc/PlatformServices_v8_0_0.asmx?WSDL"
says '<s:element name="Modules_Get">'
says 'soapAction="http://simulation.invalid/ServiceCenter/PlatformServices/Modules_Get"'
login="<Username>simulated.admin</Username><Password>${user#*:}</Password>"
ask 'Modules_Get' 200 "$sc/PlatformServices_v8_0_0.asmx" -H "$xml" \
	-H 'SOAPAction: "http://simulation.invalid/ServiceCenter/PlatformServices/Modules_Get"' -d "$(soap Modules_Get "$login")"
module=$(printf '%s' "$body" | sed 's:.*<Name>ECT_Provider</Name><Key>\([^<]*\)</Key>.*:\1:')
ask 'a publish' 200 "$sc/rest/PlatformServices/Staging_PublishWith2StepOption?StagingName=probe&TwoStepMode=false" \
	-u "$user" -H "$json" \
	-d "{\"ModulesToPublish\":[{\"REST_Module\":{\"Name\":\"ECT_Provider\",\"Key\":\"$module\",\"Kind\":\"eSpace\"}}],\"ApplicationsToUpdate\":[]}"
says '"publishId":1'
ask 'a second publish of the same module' 200 "$sc/rest/PlatformServices/Staging_PublishWith2StepOption?StagingName=probe&TwoStepMode=false" \
	-u "$user" -H "$json" \
	-d "{\"ModulesToPublish\":[{\"REST_Module\":{\"Name\":\"ECT_Provider\",\"Key\":\"$module\",\"Kind\":\"eSpace\"}}],\"ApplicationsToUpdate\":[]}"
says '"publishId":0'
says 'Your module is currently being locked by another operation.'
polls=0
until [ "${finished-}" = true ]; do
	polls=$((polls + 1))
	[ "$polls" -le 10 ] || { echo 'FAILED publish: it does not finish'; exit 1; }
	ask "poll $polls" 200 "$sc/PlatformServices_v8_0_0.asmx" -H "$xml" \
		-H 'SOAPAction: "http://simulation.invalid/ServiceCenter/PlatformServices/SolutionPack_GetPublishMessages"' \
		-d "$(soap SolutionPack_GetPublishMessages "$login<PublicationId>1</PublicationId><AfterId>0</AfterId>")"
	finished=$(field IsFinished)
done
says '<Type>Info</Type>'
case $body in *'<Type>Error</Type>'*) echo 'FAILED publish: it has errors'; exit 1 ;; esac

echo 'all as documented'
