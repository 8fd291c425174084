// Package bpe turns text into the token ids that CLIP reads, by OpenAI's byte-pair
// encoding, and ids back into text.
//
//	ids, err := bpe.New().Tokenize("a photo of a dog", bpe.Options{})
//	// 49406 320 1125 539 320 1929 49407 0 0 … 0, 77 numbers
//
// # From text to ids
//
// The text is cleaned (clean.go) and cut into pieces such as words, single digits and runs of
// punctuation (split.go). The bytes of a piece are its first tokens. The last byte of a piece
// has a token of its own, which also says "here a word ends".
//
// Then neighbouring tokens are joined (merge.go). A list has 48,894 merges, sorted by the
// frequency of each pair in the texts that it was learnt from. The earliest merge in the list
// that applies is carried out everywhere in the piece. This repeats until no merge applies.
//
// The vocabulary has, in this order, 256 bytes, 256 bytes that end a word, 48,894 merged
// tokens and two marks, [StartOfText] and [EndOfText]. Every byte has a token, so every text
// can be encoded.
//
// Source: Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with
// Subword Units" (2016); Radford et al., "Learning Transferable Visual Models From Natural
// Language Supervision" (2021), section 2.4.
//
// # Parity with OpenAI's tokenizer
//
// The ids equal those of clip/simple_tokenizer.py with ftfy 6.3.1 for every text but four kinds
// (testdata/golden/bpe.py compares some 2,200 texts, and every character in every step):
//
//   - Mojibake. ftfy guesses whether a text was once decoded by the wrong table, and undoes
//     it: "cafÃ©" becomes "café", "â€œ" becomes a quotation mark. This package does not
//     guess, and encodes mojibake as it stands. It does all other repairs of ftfy (fix.go):
//     curly quotes become straight, ﬁ becomes fi, ｆｕｌｌｗｉｄｔｈ becomes fullwidth,
//     control characters and terminal colours are removed, and letters are composed with
//     their accents (Unicode's NFC, nfc.go). This matters: the keyboards of telephones
//     write "dog’s", which would otherwise have other tokens than "dog's".
//   - Characters that are newer than the tables. Letters, digits, white space and lower case
//     follow package unicode (Unicode 15.0 in Go 1.26). For all code points this equals
//     Python's regex 2022.10.31, which has the same version of Unicode. Newer regex modules
//     know letters and digits that were not assigned then. Python 3.11 (Unicode 14.0)
//     lower-cases Σ as if the characters of 15.0 did not exist. NFC follows
//     golang.org/x/text (Unicode 15.0); assigned characters never change in it.
//   - Decimal character references of more than 4,300 digits. Python raises an exception for
//     them. Here they become U+FFFD, like any number beyond Unicode.
//   - Text that was escaped more than a hundred times (&amp;amp;amp;…).
//
// The package keeps one quirk of Python's regex module: with IGNORECASE, U+0345 counts
// neither as a letter nor as a non-letter, and is dropped like a space.
//
// Package html of the standard library resolves named character references exactly, except
// &nGt; and &nLt;, which it lacks. It differs from Python's html.unescape in numeric
// references, so entities.go reads those itself.
//
// An empty text, or one of white space alone, is not an error. Its encoding is empty, and
// [Tokenizer.Tokenize] returns the two marks, as the original does. A caller that needs a
// description should refuse an empty one.
package bpe
