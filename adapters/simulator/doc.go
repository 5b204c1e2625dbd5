// Package simulator serves a simulated infrastructure (package fake) over HTTPS
// on loopback, as far as the real systems' answers are known: Service Center's
// SOAP and REST services, LifeTime's API v2, and, as simple pages for a person,
// Service Center's licensing page, LifeTime's environments, the vendor's portal
// and Support. It is for developing adapters in any language, for rehearsing a
// plan, and for tests over the wire. What goes wrong is set by faults ([Kinds]),
// in a scenario file or while it runs.
//
//	s, err := simulator.Start(fake.New(infrastructure, source, target), nil)
//	client, err := servicecenter.New(infrastructure, servicecenter.Options{TLS: s.TLS(), Dial: s.Dial, Page: s.Person(), …})
//
// The command in cmd/simulator starts it alone:
//
//	go run ./adapters/simulator/cmd/simulator -state ./world
//
// # What it is not
//
// It is no real system and proves nothing about one. Public, and kept to, are
// (facts.md): OutSystemsPlatform.asmx (3.1), PublishRunningVersion and the
// publishing REST call (3.4), LifeTime v2 (2), what the licensing page and the
// portal show (3.3, 5.1), and the texts of errors (6). Not public, and made up
// here: the element names and SOAPActions of PlatformServices (read its WSDL,
// as with a real one), the addresses and the HTML of all pages, which statuses
// and bodies stand for wrong credentials, what maintenance mode does about a
// deployment that cannot be aborted. SOAP 1.1 is spoken, and not 1.2. No
// license is signed, and none is checked for a signature.
//
// The licenses, codes and passwords are made up, and Options.Dir keeps them in
// the clear: put nothing real into it.
//
// # Hosts
//
// One listener serves every host of the plan's addresses, [PortalHost] and
// [AdminHost], told apart by the header Host; other hosts are turned away with
// status 421. [Simulator.Dial] takes the place of the name service. A browser
// reaches the same pages below [Simulator.URL]/at/HOST/, and finds them all on
// the page at [Simulator.URL].
//
// # By hand
//
// With address=127.0.0.1:PORT and the hosts of the command's example. What is
// shown below, and more, is run by testdata/curl.sh.
//
//	curl -k --connect-to ::$address https://prd.example.test/ServiceCenter/OutSystemsPlatform.asmx \
//	  -H 'Content-Type: text/xml; charset=utf-8' \
//	  -H 'SOAPAction: "http://ServiceCenter/OutSystemsPlatform/GetPlatformInfo"' \
//	  -d '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><GetPlatformInfo xmlns="http://www.outsystems.com" /></soap:Body></soap:Envelope>'
//
//	curl -k --connect-to ::$address https://lt.example.test/lifetimeapi/rest/v2/environments/ \
//	  -H 'Authorization: Bearer simulated-lifetime-token'
//
//	curl -k --connect-to ::$address -X PUT https://lt.example.test/lifetimeapi/rest/v2/environments/$key/maintenancemode \
//	  -H 'Authorization: Bearer simulated-lifetime-token' -H 'Content-Type: application/json' \
//	  -d '{"IsMaintenanceModeEnabled": true, "Reason": "change of the activation code"}'
//
//	curl -k --connect-to ::$address 'https://prd.example.test/ServiceCenter/rest/PlatformServices/Staging_PublishWith2StepOption?StagingName=probe&TwoStepMode=false' \
//	  -u 'simulated.admin:#simulated-0123456789abcdef' -H 'Content-Type: application/json' \
//	  -d '{"ModulesToPublish":[{"REST_Module":{"Name":"ECT_Provider","Key":"'$module'","Kind":"eSpace"}}],"ApplicationsToUpdate":[]}'
//
// # Publishing
//
// A publish goes on with every call about publishing of its environment, not
// with time: it ends after a few polls, whoever polls. A prepared publication
// that nobody continues is aborted after a while, so that a lost number does
// not lock a module for good.
//
// # Goroutines
//
// [Start] starts the server; [Simulator.Close] ends it and waits for it and for
// every request. What was received takes effect even if the client has gone.
package simulator
