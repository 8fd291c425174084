// Package clip runs CLIP: two networks, one for pictures and one for texts, that were
// trained together. A picture and a text that describes it become vectors of similar
// direction. The package uses trained networks and computes no gradients.
//
// Both networks, called towers, are Transformers with the same kind of block. The image
// tower reads a picture as patches (ViT-B/32: 49 patches of 32×32 pixels, and one class
// token for the whole picture). The text tower reads a text as tokens. At the end, one
// token of each is projected to the embedding:
//
//	photograph ── Preprocess ──▶ (n,3,224,224) ── Model.EncodeImage ──▶ (n,512) ─┐
//	                                                                             ├─ Cosine
//	text ── bpe.Tokenizer.Tokenize ──▶ up to 77 ids ── Model.EncodeText ──▶ (m,512) ─┘
//
// EncodeImages and EncodeTexts do both steps: for any image.Image, and for words.
//
// Load reads the weight files of OpenAI, open_clip and Hugging Face. Every model whose
// image tower is a Vision Transformer can be run. What the weights do not show, such as the
// activation, Load takes from the files beside them, and says what it had to assume.
//
// # Where to read
//
//   - model.go: the two towers; block.go: the block that both repeat
//   - preprocess.go, pixels.go: from a photograph to the tower's input
//   - encode.go: all steps at once
//   - similarity.go: from embeddings to cosines and probabilities
//   - config.go, names.go: sizes, and the names of the tensors in files
//   - load.go: weight files; shapes.go, reader.go: sizes and tensors from them
//   - told.go: what the weights do not show; script.go, beside.go, huggingface.go and
//     openclip.go: who tells it
//   - random.go: random weights for demonstrations
//
// docs/clip.md has the measured differences from PyTorch, the times and the memory.
package clip
