// Package bpe turns text into the token ids that CLIP reads, by OpenAI's byte-pair
// encoding, and ids back into text.
//
//	ids, err := bpe.New().Tokenize("a photo of a dog", bpe.Options{})
//	// 49406 320 1125 539 320 1929 49407 0 0 … 0, 77 numbers
//
// # From text to ids
//
// The text is cleaned (clean.go), cut into pieces such as words, single digits and runs of
// punctuation (split.go), and each piece is turned into bytes. Every byte is a token, and
// the last one of a piece is another token that also says "here a word ends". A list of
// 48,894 merges, ordered by how often each pair occurred in the texts that it was learnt
// from, then joins neighbours: the earliest merge in the list that applies is carried out
// everywhere in the piece, and so on until none applies (merge.go). A vocabulary of
// 256 + 256 + 48,894 tokens and two marks, [StartOfText] and [EndOfText], results, in that
// order, so that no text is ever out of vocabulary.
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
//   - Mojibake. ftfy guesses whether text was once decoded by the wrong table and undoes
//     that: "cafÃ©" becomes "café", "â€œ" a quotation mark. Such guessing is beyond this
//     package, which encodes mojibake as it stands. Everything else that ftfy does is here
//     (fix.go): curly quotes become straight, ﬁ becomes fi, ｆｕｌｌｗｉｄｔｈ becomes
//     fullwidth, control characters and terminal colours vanish, and letters followed by
//     accents are composed (Unicode's form NFC, nfc.go). It matters: telephones' keyboards write
//     "dog’s", which would otherwise have other tokens than "dog's".
//   - Characters younger than the tables in use. Letters, digits, white space and lower case
//     follow package unicode (Unicode 15.0 in Go 1.26). Over all code points that
//     equals Python's regex 2022.10.31, of the same version of Unicode. Newer regex modules
//     call some code points letters or digits that were not assigned then, and Python 3.11
//     (Unicode 14.0) lower-cases Σ as if the characters of 15.0 did not exist.
//     NFC follows golang.org/x/text (Unicode 15.0 with Go 1.26); assigned characters never
//     change in it.
//   - Decimal character references of more than 4,300 digits, at which Python raises an
//     exception. Here they are U+FFFD, as any number beyond Unicode.
//   - Text that was escaped more than a hundred times over (&amp;amp;amp;…).
//
// Python's regex module has one quirk that is kept: with its IGNORECASE, U+0345 belongs
// neither to the letters nor to what is no letter, and so is dropped like a space.
//
// Package html of the standard library is exact for named character references but for
// &nGt; and &nLt;, which it lacks, and differs from Python's html.unescape in numeric ones
// (entities.go), so those are read here.
//
// A text of nothing, or of white space alone, is no error: its encoding is empty and
// [Tokenizer.Tokenize] gives the two marks, as the original does. Callers for whom an empty
// description makes no sense should refuse it.
package bpe
