package main

import (
	"regexp"
	"strconv"
	"strings"
)

// shape is what YAML may make of texts that match a pattern.
type shape struct {
	types            types
	minimum, maximum *int // of an integer
}

// shapeOf tries which numbers and booleans have a text that matches a pattern.
// It knows integers by their smallest, their largest and their length: what is
// between them is taken to match.
func shapeOf(pattern string) shape {
	re := regexp.MustCompile("^(" + pattern + ")$")
	s := shape{types: types{"string"}}
	switch {
	case re.MatchString("1.5") || re.MatchString("0.5"):
		s.types = append(s.types, "number")
	default:
		s.integers(re)
	}
	if re.MatchString("true") || re.MatchString("false") {
		s.types = append(s.types, "boolean")
	}
	return s
}

// digits is how long an integer is tried. Longer ones are texts to YAML, or
// lose digits.
const digits = 15

func (s *shape) integers(re *regexp.Regexp) {
	longest := -1 // nothing matches
	zero := spelled(re, "0")
	if zero {
		longest = 0
	}
	for n := 1; n <= digits; n++ {
		for _, d := range "123456789" {
			if spelled(re, strings.Repeat(string(d), n)) {
				longest = n
			}
		}
	}
	if longest < 0 {
		return
	}
	s.types = append(s.types, "integer")
	if !re.MatchString("-1") {
		minimum := 1
		if zero {
			minimum = 0
		}
		s.minimum = &minimum
	}
	if longest < digits {
		maximum, _ := strconv.Atoi("0" + strings.Repeat("9", longest))
		s.maximum = &maximum
	}
}

// spelled reports whether a pattern matches an integer, which may be written
// with zeros in front.
func spelled(re *regexp.Regexp, number string) bool {
	for range 4 {
		if re.MatchString(number) {
			return true
		}
		number = "0" + number
	}
	return false
}
