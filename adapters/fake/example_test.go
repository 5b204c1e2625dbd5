package fake_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// exampleWorld is what a test of your own would begin with.
func exampleWorld() (w *fake.World, quality environment.Environment, target license.ActivationCode) {
	source, err := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	if err != nil {
		log.Fatal(err)
	}
	target, err = license.ParseActivationCode("ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU")
	if err != nil {
		log.Fatal(err)
	}
	quality = environment.Environment{
		Name: "Quality", Kind: environment.Quality,
		ServiceCenter: "https://qa.example.test", Serial: "AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH",
	}
	return fake.New(environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{quality}}, source, target), quality, target
}

// move is the automation under test: it moves one environment to a code.
func move(ctx context.Context, w *fake.World, env environment.Environment, code license.ActivationCode) error {
	set := w.Set()
	if err := set.Portal.RegisterSerial(ctx, code, env); err != nil {
		return err
	}
	file, err := set.Portal.FetchLicense(ctx, code, env)
	if err != nil {
		return err
	}
	if err := set.ServiceCenter.UploadLicense(ctx, env, file); err != nil {
		return err
	}
	_, err = set.ServiceCenter.RepublishModule(ctx, env, fake.CustomerModule)
	return err
}

// What one port does is seen through the others.
func Example() {
	w, quality, target := exampleWorld()
	fmt.Println(w.Installed("Quality").IPP)
	fmt.Println(move(context.Background(), w, quality, target))
	fmt.Println(w.Installed("Quality").IPP)
	for _, call := range w.Calls() {
		fmt.Println(call)
	}
	// Output:
	// Protected
	// <nil>
	// Unprotected
	// LicensePortal.RegisterSerial in Quality
	// LicensePortal.FetchLicense in Quality
	// ServiceCenter.UploadLicense in Quality
	// ServiceCenter.RepublishModule in Quality
}

// Failures follow from circumstances: the module is marked as the property of
// the code that the environment is under, and stays so when it moves.
func ExampleWorld_MarkModule() {
	w, quality, target := exampleWorld()
	w.MarkModule("Quality", fake.CustomerModule, w.Installed("Quality").Code)
	fmt.Println(move(context.Background(), w, quality, target))
	fmt.Println("the target license is installed:", w.Installed("Quality").Code == target)
	// Output:
	// Quality: the platform refused the module's intellectual property: Intellectual Property Error: This module is under Intellectual Property Protection, so you cannot publish it to your environment.
	// the target license is installed: true
}

// The vendor has no slot left.
func ExampleWorld_Slots() {
	w, quality, target := exampleWorld()
	w.Slots(target, environment.Quality, 0)
	fmt.Println(move(context.Background(), w, quality, target))
	// Output:
	// Quality: no free slot for an environment of this kind under this activation code: quality
}

// A world can outlive its process.
func ExampleWorld_Save() {
	w, quality, target := exampleWorld()
	if err := move(context.Background(), w, quality, target); err != nil {
		log.Fatal(err)
	}
	var file strings.Builder
	if err := w.Save(&file); err != nil {
		log.Fatal(err)
	}

	var again fake.World
	if err := again.Load(strings.NewReader(file.String())); err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Installed("Quality").Code == target)
	// Output:
	// true
}

func ExampleLicenseFile() {
	code, err := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	if err != nil {
		log.Fatal(err)
	}
	file := fake.LicenseFile(license.Details{
		Code: code, Serial: "AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH", Type: "Production",
		Features: []license.Feature{{ID: "IPP", Name: "Intellectual Property", Limit: "Ignore"}},
	}, "")
	details, err := license.Inspect(file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(details.Type, details.Serial, details.Features)
	// Output:
	// Production AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH [{IPP Intellectual Property Ignore}]
}

func ExampleClock() {
	var clock fake.Clock
	fmt.Println(clock.Now().Format(time.DateTime))
	if err := clock.Sleep(context.Background(), 48*time.Hour); err != nil { // takes no time
		log.Fatal(err)
	}
	fmt.Println(clock.Now().Format(time.DateTime))
	// Output:
	// 2026-01-05 08:00:00
	// 2026-01-07 08:00:00
}
