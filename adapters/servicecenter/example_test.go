package servicecenter_test

import (
	"context"
	"fmt"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// The test module is published again in a simulated Service Center.
func ExampleNew() {
	source, _ := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	target, _ := license.ParseActivationCode("ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU")
	quality := environment.Environment{
		Name: "Quality", Kind: environment.Quality,
		ServiceCenter: "https://qa.example.test", Serial: "QQQ-AAA-BBB-CCC-DDD-EEE-FFF-111",
	}
	inf := environment.Infrastructure{Name: "Example", Environments: []environment.Environment{quality}}
	system, err := simulator.Start(fake.New(inf, source, target), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer system.Close()

	sc, err := servicecenter.New(inf, servicecenter.Options{
		Credentials: func(context.Context, environment.Environment) (servicecenter.Credential, error) {
			return servicecenter.Credential{User: simulator.DefaultUser, Password: simulator.DefaultPassword}, nil
		},
		Page: system.Person(), // in earnest a person: attended.New(...)
		TLS:  system.TLS(), Dial: system.Dial,
		Poll: 1, // one nanosecond; in earnest leave it out
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	_, err = sc.RepublishModule(ctx, quality, fake.TestModule)
	fmt.Println(err)
	_, err = sc.RepublishModule(ctx, quality, "NoSuchModule")
	fmt.Println(adapters.ConditionOf(err))
	// Output:
	// <nil>
	// there is no such module
}
