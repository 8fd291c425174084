// Package clip runs CLIP, two networks that were trained together until a picture and the
// text that describes it became vectors of the same direction. It is used as it has been
// trained: nothing here computes gradients.
//
// Both towers are Transformers of the same kind of block (block.go). One reads a picture as
// patches (ViT-B/32: 49 of 32×32 pixels, and a token for the whole), the other a text as
// tokens; at the end one token of each is projected to the embedding:
//
//	photograph ── Preprocess ──▶ (n,3,224,224) ── Model.EncodeImage ──▶ (n,512) ─┐
//	                                                                             ├─ Cosine
//	text ── bpe.Tokenizer.Tokenize ──▶ up to 77 ids ── Model.EncodeText ──▶ (m,512) ─┘
//
// Models come from the files of OpenAI, open_clip and Hugging Face, see Load; any one whose
// image tower is a Vision Transformer can be run.
//
// # How near to PyTorch
//
// Held by golden tests to OpenAI's own code (the package clip-anytorch's model.py in PyTorch
// 1.13) and to Hugging Face's CLIPModel, with weights made by a recipe: a small model
// after each of its steps, and the full-size ViT-B/32, whose embeddings differ by 2e-6 of
// their length. Preprocessing gives exactly the numbers of torchvision and Pillow, bit by bit,
// from the same pixels.
//
// # How fast
//
// ViT-B/32 on two cores of a server of 2021 (AMD EPYC, AVX2), and its ratio to the same model
// in PyTorch 1.13 with OpenBLAS and in ONNX Runtime 1.32, the medians of runs in turn, of
// processor time since the machine was not idle:
//
//	                       here     PyTorch   ONNX Runtime
//	 1 picture             67 ms    0.66      1.06
//	16 pictures            0.80 s   0.76      0.97
//	16 texts, 77 tokens    0.59 s   0.80
//
// Texts of ten tokens take a sixth of that, since what follows a text's end is not
// computed. Nine tenths of the time are multiplications. Debian's PyTorch without OpenBLAS
// needs 63 s for 16 pictures. Measured by TestAgainstPyTorch.
//
// # How much memory
//
// Weights are rearranged while they are read, tensor by tensor, and pictures go through the
// towers at most some twenty at a time. So loading ViT-B/32 and encoding a batch take 1.17
// times the 605 MB of its weights in float32 at most, and the image tower alone 1.24 times
// its 351 MB; TestFullSize watches over it. The 354 MB of OpenAI's file are loaded in 0.4 s.
package clip
