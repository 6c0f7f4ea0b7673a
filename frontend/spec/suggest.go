package spec

import "github.com/agext/levenshtein"

// Nearest returns the word that is most likely meant by a misspelled one, or ""
// when none is near: one edit away for a short word, two for a longer one (two
// letters in the wrong order), a third of its letters for a long one.
func Nearest(word string, words []string) string {
	limit := max(1, len(word)/3)
	if len(word) > 3 {
		limit = max(2, limit)
	}
	best, distance := "", limit+1
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
