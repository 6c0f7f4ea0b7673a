package spec

import "github.com/agext/levenshtein"

// Nearest returns the word that is most likely meant by a misspelled one, or ""
// when none is near.
func Nearest(word string, words []string) string {
	best, distance := "", 1+max(1, len(word)/3)
	for _, w := range words {
		if d := levenshtein.Distance(word, w, nil); d < distance {
			best, distance = w, d
		}
	}
	return best
}

// didYouMean returns the help that names the nearest word, or "".
func didYouMean(word string, words []string) string {
	if near := Nearest(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}
