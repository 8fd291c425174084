package bpe_test

import (
	"errors"
	"fmt"
	"log"
	"strings"

	"pixelgrad/clip/bpe"
)

// A text becomes ids, and the ids become text again.
func Example() {
	tokenizer := bpe.New()
	ids, err := tokenizer.Encode("A photo of a red panda.")
	if err != nil {
		log.Fatal(err)
	}
	text, err := tokenizer.Decode(ids)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ids)
	fmt.Printf("%q\n", text)
	// Output:
	// [320 1125 539 320 736 12952 269]
	// "a photo of a red panda . "
}

// What CLIP reads: the marks around the text, and zeros behind them.
func ExampleTokenizer_Tokenize() {
	row, err := bpe.New().Tokenize("A photo of a dog’s bowl", bpe.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(row), row[:10])
	// Output: 77 [49406 320 1125 539 320 1929 568 3814 49407 0]
}

// A text that is too long is an error, unless it may be cut.
func ExampleTokenizer_Tokenize_tooLong() {
	long := strings.Repeat("a very ", 50) + "long description"
	_, err := bpe.New().Tokenize(long, bpe.Options{})
	var tooLong *bpe.TooLongError
	fmt.Println(errors.As(err, &tooLong), err)

	row, err := bpe.New().Tokenize(long, bpe.Options{Truncate: true})
	fmt.Println(row[len(row)-3:], err)
	// Output:
	// true bpe: the text has 104 tokens, start and end included, but the limit is 77: shorten it, or have it truncated
	// [1070 320 49407] <nil>
}

// Words that CLIP saw often are one token; others fall apart.
func ExampleTokenizer_Encode() {
	tok := bpe.New()
	for _, word := range []string{"dog", "aeroplane", "pixelgrad", "🐶"} {
		ids, err := tok.Encode(word)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(word, ":")
		for _, id := range ids {
			part, _ := tok.Decode([]int{id})
			fmt.Printf(" %d %q", id, part)
		}
		fmt.Println()
	}
	// Output:
	// dog: 1929 "dog "
	// aeroplane: 27735 "aerop" 3980 "lane "
	// pixelgrad: 14384 "pixel" 7291 "grad "
	// 🐶: 10631 "🐶 "
}

// The marks are part of the text.
func ExampleTokenizer_Decode() {
	text, err := bpe.New().Decode([]int{49406, 320, 1125, 539, 320, 1929, 49407})
	fmt.Printf("%q %v\n", text, err)
	// Output: "<|startoftext|>a photo of a dog <|endoftext|>" <nil>
}
