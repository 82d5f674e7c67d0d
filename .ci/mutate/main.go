// Mutate shows that the tests would notice: it takes one check after another out
// of the code, or makes one too strict, and wants the tests that are named beside
// it in mutations.txt to fail. The tree stays as it is, for the compiler reads the changed files from
// elsewhere.
//
//	go run ./.ci/mutate           # all of them, in some minutes
//	go run ./.ci/mutate -check    # only that each applies, and compiles
//	go run ./.ci/mutate nonce     # those whose title or tests have this word
//
// In a copy of the project, whose owner changes and deletes what they like, it
// leaves out those that do not apply there.
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

	"example.org/portal/.ci/project"
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
	ours, err := project.Ours(".")
	if err != nil {
		return err
	}
	if ours {
		if err := checkPromises(".ci/README.md", all); err != nil {
			return err
		}
	}
	begun := time.Now()
	chosen := slices.DeleteFunc(all, func(m mutation) bool { return !m.names(word) })
	if len(chosen) == 0 {
		return fmt.Errorf("no mutation has the word %q", word)
	}
	x, err := listExports()
	if err != nil {
		return err
	}
	inVain := "FAIL"
	if !ours {
		inVain = "left out"
	}
	chosen, failed := report(chosen, inVain, x.compiles)
	if !ours {
		failed = 0
	}
	if !check && failed == 0 {
		if err := sound(chosen); err != nil {
			return err
		}
		chosen, failed = report(chosen, "FAIL", killed)
	}
	fmt.Printf("%d mutations as they should be, %d not, in %s\n", len(chosen), failed, time.Since(begun).Round(time.Second))
	if failed > 0 {
		return errors.New("see above")
	}
	return nil
}

// report tries mutations, and says of each in turn whether it is as it should be:
// "ok", or inVain and why. It returns those that are, and counts the others.
func report(all []mutation, inVain string, try func(mutation) error) (good []mutation, failed int) {
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
			good = append(good, m)
			continue
		}
		failed++
		fmt.Printf("%s %s (line %d): %s\n", inVain, m.title, m.line, strings.ReplaceAll(err.Error(), "\n", "\n     "))
	}
	workers.Wait()
	return good, failed
}
