package clip

import (
	"encoding/json"
	"fmt"
	"slices"
)

// huggingFaceTower is vision_config or text_config in Hugging Face's config.json, or all of it
// if the weights are those of a single tower.
type huggingFaceTower struct {
	Activation *string         `json:"hidden_act"`
	Heads      *int            `json:"num_attention_heads"`
	Width      int             `json:"hidden_size"`
	Layers     int             `json:"num_hidden_layers"`
	Hidden     int             `json:"intermediate_size"`
	Eps        *float64        `json:"layer_norm_eps"`
	Image      side            `json:"image_size"`
	Patch      side            `json:"patch_size"`
	Context    int             `json:"max_position_embeddings"`
	Vocabulary int             `json:"vocab_size"`
	EndOfText  json.RawMessage `json:"eos_token_id"`
}

// The defaults of Hugging Face's CLIPConfig, which it has for what is not in the file.
const (
	defaultVisionHeads = 12
	defaultTextHeads   = 8
	defaultEndOfText   = 49407
)

// parseHuggingFace reads Hugging Face's config.json. It returns errOther if it is not about a
// CLIP.
//
// In files of before 2023, vision_config_dict and text_config_dict count if they are there,
// and vision_config and text_config do not, as in CLIPConfig of transformers 5.24.
func parseHuggingFace(data []byte) (*settings, error) {
	var top struct {
		Type       string            `json:"model_type"`
		Embed      int               `json:"projection_dim"`
		Vision     *huggingFaceTower `json:"vision_config"`
		VisionDict *huggingFaceTower `json:"vision_config_dict"`
		Text       *huggingFaceTower `json:"text_config"`
		TextDict   *huggingFaceTower `json:"text_config_dict"`
	}
	var kind struct {
		Type any `json:"model_type"`
	}
	if err := unmarshal(data, &kind); err != nil {
		return nil, err
	}
	switch kind.Type {
	case "clip", "clip_vision_model", "clip_text_model":
	case nil:
		return nil, fmt.Errorf("%w: it has no model_type", errOther)
	default:
		return nil, fmt.Errorf("%w: its model_type is %.40q", errOther, fmt.Sprint(kind.Type))
	}
	if err := unmarshal(data, &top); err != nil {
		return nil, err
	}
	s := &settings{embed: top.Embed}
	if top.VisionDict != nil {
		top.Vision = top.VisionDict
	}
	if top.TextDict != nil {
		top.Text = top.TextDict
	}
	switch top.Type { // of one tower: its numbers are on top
	case "clip_vision_model":
		if err := unmarshal(data, &top.Vision); err != nil {
			return nil, err
		}
	case "clip_text_model":
		if err := unmarshal(data, &top.Text); err != nil {
			return nil, err
		}
	}
	if v := top.Vision; v != nil || top.Type == "clip" {
		if v == nil {
			v = &huggingFaceTower{}
		}
		s.vision = v.settings(defaultVisionHeads)
		s.image, s.patch = int(v.Image), int(v.Patch)
	}
	if t := top.Text; t != nil || top.Type == "clip" {
		if t == nil {
			t = &huggingFaceTower{}
		}
		s.text = t.settings(defaultTextHeads)
		s.context, s.vocabulary = t.Context, t.Vocabulary
		var err error
		if s.endOfText, err = t.endOfText(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (t *huggingFaceTower) settings(heads int) towerSettings {
	s := towerSettings{gelu: QuickGELU, heads: heads, width: t.Width, layers: t.Layers, hidden: t.Hidden}
	if t.Heads != nil {
		if s.heads = *t.Heads; s.heads <= 0 {
			s.heads = -1
		}
	}
	if a := t.Activation; a != nil {
		switch *a {
		case "quick_gelu":
		case "gelu", "gelu_python": // both compute it exactly
			s.gelu = PlainGELU
		default:
			s.unable = fmt.Sprintf("the activation %.40q (hidden_act)", *a)
		}
	}
	if t.Eps != nil && !sameEps(*t.Eps) {
		s.unable = fmt.Sprintf("a layer_norm_eps of %v in place of %v", *t.Eps, normEps)
	}
	return s
}

// endOfText returns the id of the token that becomes a text's embedding, or 0 for the highest.
// Files of before 2023 have 2 there by mistake, and CLIPModel then takes the highest, too. Of
// several ids it knows no more than we: they are an error. The default, 49407, is the highest
// of CLIP's own vocabulary.
func (t *huggingFaceTower) endOfText() (int, error) {
	if len(t.EndOfText) == 0 || slices.Equal(t.EndOfText, []byte("null")) {
		return 0, nil
	}
	var id int
	if err := json.Unmarshal(t.EndOfText, &id); err != nil || id < 0 {
		return 0, fmt.Errorf("expected one number as eos_token_id, found %.40s", t.EndOfText)
	}
	if id == 2 {
		return 0, nil
	}
	return id, nil
}

// parsePixels reads Hugging Face's preprocessor_config.json.
func parsePixels(data []byte) (s pixelSettings, err error) {
	var file struct {
		Mean      []float64       `json:"image_mean"`
		Std       []float64       `json:"image_std"`
		Resample  *int            `json:"resample"` // Pillow's number
		Normalize *bool           `json:"do_normalize"`
		Size      json.RawMessage `json:"size"`
	}
	if err := unmarshal(data, &file); err != nil {
		return s, err
	}
	s.mean, s.std = file.Mean, file.Std
	if file.Normalize != nil && !*file.Normalize {
		s.mean, s.std = []float64{0, 0, 0}, []float64{1, 1, 1}
	}
	const bicubic = 3
	if file.Resample != nil && *file.Resample != bicubic {
		s.unable = fmt.Sprintf("Pillow's filter %d", *file.Resample)
	}
	// size is a number or {"shortest_edge": 224}; a height and a width squeeze.
	var size map[string]any
	if json.Unmarshal(file.Size, &size) == nil {
		s.squash = size["height"] != nil && size["shortest_edge"] == nil
	}
	return s, nil
}
