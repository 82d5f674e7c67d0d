// Mutate shows that the tests would notice: it takes one check after another out
// of the code, or makes one too strict, and wants the tests that are named beside
// it in mutations.txt to fail. The tree stays as it is, for the compiler reads the changed files from
// elsewhere.
//
//	go run ./.ci/mutate           # all of them, in some minutes
//	go run ./.ci/mutate -check    # only that each applies, and compiles
//	go run ./.ci/mutate nonce     # those whose title or tests have this word
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	check := flag.Bool("check", false, "see only that each mutation applies and compiles")
	flag.Parse()
	if err := run(*check, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// atOnce is how many are compiled and tested at a time.
const atOnce = 2

func run(check bool, word string) error {
	all, err := readMutations(".ci/mutate/mutations.txt")
	if err != nil {
		return err
	}
	if err := checkPromises("README.md", all); err != nil {
		return err
	}
	chosen := slices.DeleteFunc(all, func(m mutation) bool { return !m.names(word) })
	begun := time.Now()
	try, err := chooseTry(check, chosen)
	if err != nil {
		return err
	}
	failed := report(chosen, try)
	fmt.Printf("%d mutations, %d of them not as they should be, in %s\n", len(chosen), failed, time.Since(begun).Round(time.Second))
	if failed > 0 || len(chosen) == 0 {
		return errors.New("see above")
	}
	return nil
}

// chooseTry returns what is done with each of the mutations.
func chooseTry(check bool, chosen []mutation) (func(mutation) error, error) {
	if !check {
		return killed, sound(chosen)
	}
	x, err := listExports()
	return x.compiles, err
}

// report tries mutations, says of each in turn what came of it, and counts those
// that are not as they should be.
func report(all []mutation, try func(mutation) error) (failed int) {
	outcomes := make([]chan error, len(all))
	for i := range outcomes {
		outcomes[i] = make(chan error, 1)
	}
	next := make(chan int)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for i := range next {
				outcomes[i] <- try(all[i])
			}
		})
	}
	go func() {
		for i := range all {
			next <- i
		}
		close(next)
	}()
	for i, m := range all {
		err := <-outcomes[i]
		if err == nil {
			fmt.Printf("ok   %s\n", m.title)
			continue
		}
		failed++
		fmt.Printf("FAIL %s (line %d): %s\n", m.title, m.line, strings.ReplaceAll(err.Error(), "\n", "\n     "))
	}
	workers.Wait()
	return failed
}
