package main

import (
	"context"
	"os"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// stateDiagram-v2
	//     state "Paused" as s_Paused
	//     s_Paused: do / registerSerial
	//     s_Paused: needs [lineRunning, deploymentsPaused, sourceBackupProven, gateOpen, everyoneBackedUp]
	//     state "SerialRegistered" as s_SerialRegistered
	//     s_SerialRegistered: do / fetchLicense
	//     s_SerialRegistered: needs [lineRunning]
	//     state "LicenseFetched" as s_LicenseFetched
	//     s_LicenseFetched: do / backUp
	//     s_LicenseFetched: needs [lineRunning]
	//     state "BackedUp" as s_BackedUp
	//     s_BackedUp: do / upload
	//     s_BackedUp: needs [lineRunning, deploymentsPaused, sourceBackupProven, fileCurrent, gateOpen, everyoneBackedUp, noUnknownWord]
	//     state "Uploaded" as s_Uploaded
	//     s_Uploaded: do / verify
	//     s_Uploaded: needs [lineRunning]
	//     state "IPVerified" as s_IPVerified
	//     s_IPVerified: do / republish
	//     s_IPVerified: needs [lineRunning, deploymentsPaused]
	//     state "Republished" as s_Republished
	//     s_Republished: do / smokeTest
	//     s_Republished: needs [lineRunning]
	//     state "SmokeTested" as s_SmokeTested
	//     state "NeedsSupport" as s_NeedsSupport
	//     state "RollingBack" as s_RollingBack
	//     state "any state" as any
	//     [*] --> s_Paused
	//     s_Paused --> s_SerialRegistered: serialRegistered
	//     s_Paused --> s_NeedsSupport: noSlot
	//     s_SerialRegistered --> s_LicenseFetched: licenseFetched [fileOfThisLeg, fileForThisServer, fileNotExpired, fileNotTrial]
	//     s_SerialRegistered --> s_NeedsSupport: serialNotFound
	//     s_SerialRegistered --> s_NeedsSupport: notPrepared
	//     s_SerialRegistered --> s_NeedsSupport: fileRefused
	//     s_LicenseFetched --> s_BackedUp: backedUp [fileBackedUp, sourceBackupProven]
	//     s_BackedUp --> s_Uploaded: uploaded [licenseShown]
	//     s_BackedUp --> s_NeedsSupport: uploadRejected
	//     s_Uploaded --> s_IPVerified: ipVerified [licenseShown, ippAccepted]
	//     s_Uploaded --> s_NeedsSupport: notPrepared
	//     s_IPVerified --> s_Republished: republished [publicationClean]
	//     s_IPVerified --> s_RollingBack: ippRejected [sourceBackupProven]
	//     s_IPVerified --> s_NeedsSupport: publishFailed
	//     s_NeedsSupport --> s_Paused: supportResolved [evidenceRecorded]
	//     s_Republished --> s_SmokeTested: smokeTestPassed [smokeTestSeen]
	//     any --> s_RollingBack: rollbackRequested [sourceBackupProven]
	//     s_SmokeTested --> [*]
	//     s_RollingBack --> [*]
	// Production (refresh): SmokeTested
	// LifeTime (refresh): SmokeTested
	// Production (move): SmokeTested
	// LifeTime (move): SmokeTested
	// Completed
}
