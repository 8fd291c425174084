package clip

import (
	"slices"
	"strconv"
)

// naming holds the names of the tensors in a family of weight files. The name of a layer,
// such as a normalisation, stands for two tensors, with .weight and .bias.
type naming struct {
	vision, text string // the prefix of a tower's names but its projection's; "" if there is none

	patches, class, visionPositions  string
	preNorm, postNorm                string
	visionBlocks, visionProjection   string // of blocks: the text before their number
	tokens, textPositions, finalNorm string
	textBlocks, textProjection       string

	// projectionTransposed says that the projections have a row for each output, like
	// linear layers. Otherwise they have a row for each input.
	projectionTransposed bool

	inside blockNames // without prefix
}

// blockNames holds the names within a block.
type blockNames struct {
	norm1, norm2         string
	inWeights, inBiases  []string // of query, key and value: together or one by one
	out, hidden, project string
}

// openAI is the naming in the files of OpenAI and open_clip.
var openAI = naming{
	vision: "visual.",

	patches:          "visual.conv1.weight",
	class:            "visual.class_embedding",
	visionPositions:  "visual.positional_embedding",
	preNorm:          "visual.ln_pre",
	postNorm:         "visual.ln_post",
	visionBlocks:     "visual.transformer.resblocks.",
	visionProjection: "visual.proj",
	tokens:           "token_embedding.weight",
	textPositions:    "positional_embedding",
	finalNorm:        "ln_final",
	textBlocks:       "transformer.resblocks.",
	textProjection:   "text_projection",
	inside: blockNames{
		norm1:     "ln_1",
		norm2:     "ln_2",
		inWeights: []string{"attn.in_proj_weight"},
		inBiases:  []string{"attn.in_proj_bias"},
		out:       "attn.out_proj",
		hidden:    "mlp.c_fc",
		project:   "mlp.c_proj",
	},
}

// huggingFace is the naming of Hugging Face's CLIPModel. "pre_layrnorm" is its spelling.
var huggingFace = naming{
	vision: "vision_model.",
	text:   "text_model.",

	patches:              "vision_model.embeddings.patch_embedding.weight",
	class:                "vision_model.embeddings.class_embedding",
	visionPositions:      "vision_model.embeddings.position_embedding.weight",
	preNorm:              "vision_model.pre_layrnorm",
	postNorm:             "vision_model.post_layernorm",
	visionBlocks:         "vision_model.encoder.layers.",
	visionProjection:     "visual_projection.weight",
	tokens:               "text_model.embeddings.token_embedding.weight",
	textPositions:        "text_model.embeddings.position_embedding.weight",
	finalNorm:            "text_model.final_layer_norm",
	textBlocks:           "text_model.encoder.layers.",
	textProjection:       "text_projection.weight",
	projectionTransposed: true,
	inside: blockNames{
		norm1:     "layer_norm1",
		norm2:     "layer_norm2",
		inWeights: []string{"self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"},
		inBiases:  []string{"self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"},
		out:       "self_attn.out_proj",
		hidden:    "mlp.fc1",
		project:   "mlp.fc2",
	},
}

// nested is the naming of open_clip's CustomTextCLIP: the text tower is a part of its own.
var nested = func() naming {
	n := openAI
	n.text = "text."
	for _, s := range []*string{&n.tokens, &n.textPositions, &n.finalNorm, &n.textBlocks, &n.textProjection} {
		*s = n.text + *s
	}
	return n
}()

// namings are all that are known.
var namings = []*naming{&openAI, &nested, &huggingFace}

// logitScale has the same name in all files.
const logitScale = "logit_scale"

// resNet is in the image towers of the other kind that OpenAI trained.
const resNet = "visual.layer1.0.conv1.weight"

// wanted returns the lists of names of which a file with the wanted towers has one: files
// with both towers first, because token_embedding.weight is also the end of another name.
func wanted(o Options) [][]string {
	var both, images, texts [][]string
	for _, n := range namings {
		both = append(both, []string{n.patches, n.tokens})
		images = append(images, []string{n.patches})
		texts = append(texts, []string{n.tokens})
	}
	images = append(images, []string{resNet})
	switch {
	case o.Vision && o.Text:
		return both
	case o.Vision:
		return images
	case o.Text:
		return texts
	}
	return slices.Concat(both, images, texts)
}

// block returns the names of block i of a tower. prefix is the tower's visionBlocks or
// textBlocks.
func (n *naming) block(prefix string, i int) blockNames {
	prefix += strconv.Itoa(i) + "."
	b := n.inside
	for _, s := range []*string{&b.norm1, &b.norm2, &b.out, &b.hidden, &b.project} {
		*s = prefix + *s
	}
	within := func(names []string) []string {
		all := make([]string, len(names))
		for i, s := range names {
			all[i] = prefix + s
		}
		return all
	}
	b.inWeights, b.inBiases = within(b.inWeights), within(b.inBiases)
	return b
}
