package fault_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// exampleWorld is one environment, ready to be moved.
func exampleWorld() (*fake.World, environment.Environment, license.ActivationCode) {
	source, err := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	if err != nil {
		log.Fatal(err)
	}
	target, err := license.ParseActivationCode("ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU")
	if err != nil {
		log.Fatal(err)
	}
	env := environment.Environment{
		Name: "Quality", Kind: environment.Quality,
		ServiceCenter: "https://qa.example.test", Serial: "AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH",
	}
	return fake.New(environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{env}}, source, target), env, target
}

// move is the automation under test. It can be run again after any error.
func move(ctx context.Context, set adapters.Set, env environment.Environment, code license.ActivationCode) error {
	registered, err := set.Portal.SerialRegistered(ctx, code, env)
	if err != nil {
		return err
	}
	if !registered {
		if err := set.Portal.RegisterSerial(ctx, code, env); err != nil {
			return err
		}
	}
	file, err := set.Portal.FetchLicense(ctx, code, env)
	if err != nil {
		return err
	}
	return set.ServiceCenter.UploadLicense(ctx, env, file)
}

// Every call is lost once, after it took effect. Whichever it was, a second run
// gets to the end.
func Example() {
	for n := 0; ; n++ {
		world, env, target := exampleWorld()
		inj := fault.OnIndex(n, fault.After, errors.New("the line went dead"))
		err := move(context.Background(), fault.Wrap(world.Set(), inj), env, target)
		if !inj.Hit() {
			break // every call has had its turn
		}
		if err == nil {
			fmt.Printf("%v: was swallowed\n", inj)
		}
		if err := move(context.Background(), world.Set(), env, target); err != nil {
			fmt.Printf("%v: cannot be taken up again: %v\n", inj, err)
		}
		fmt.Println(inj, "-> target installed:", world.Installed("Quality").Code == target)
	}
	// Output:
	// call 0, after LicensePortal.SerialRegistered in Quality: the line went dead -> target installed: true
	// call 1, after LicensePortal.RegisterSerial in Quality: the line went dead -> target installed: true
	// call 2, after LicensePortal.FetchLicense in Quality: the line went dead -> target installed: true
	// call 3, after ServiceCenter.UploadLicense in Quality: the line went dead -> target installed: true
}

// A Service Center that cannot be reached for a while.
func ExampleAlways() {
	world, env, target := exampleWorld()
	down := fault.Always(fault.Match{Port: "ServiceCenter"}, fault.Before, adapters.ErrNotReached)
	fmt.Println(move(context.Background(), fault.Wrap(world.Set(), down), env, target))
	// Output:
	// the system was provably not reached; nothing was sent
}

// The caller gives up while the upload is under way; the upload takes effect
// all the same.
func ExampleCancel() {
	world, env, target := exampleWorld()
	ctx, cancel := context.WithCancel(context.Background())
	inj := fault.On(fault.Match{Method: "UploadLicense"}, 0, fault.After, fault.Cancel(cancel))
	fmt.Println(move(ctx, fault.Wrap(world.Set(), inj), env, target), ctx.Err())
	fmt.Println(world.Installed("Quality").Code == target)
	// Output:
	// <nil> context canceled
	// true
}

func ExampleWatch() {
	world, env, target := exampleWorld()
	watch := fault.Watch(func(op fault.Op) { fmt.Println(op.Index, op) })
	if err := move(context.Background(), fault.Wrap(world.Set(), watch), env, target); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 0 LicensePortal.SerialRegistered in Quality
	// 1 LicensePortal.RegisterSerial in Quality
	// 2 LicensePortal.FetchLicense in Quality
	// 3 ServiceCenter.UploadLicense in Quality
}
