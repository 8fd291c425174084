package clip

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The defaults of open_clip's CLIPVisionCfg and CLIPTextCfg, which it has for what is not in
// the file.
const (
	openCLIPVisionWidth = 768
	openCLIPHeadWidth   = 64
	openCLIPTextHeads   = 8
)

// openCLIPTower is vision_cfg or text_cfg in open_clip_config.json.
type openCLIPTower struct {
	Width     int      `json:"width"`
	Layers    *int     `json:"layers"`
	MLPRatio  *float64 `json:"mlp_ratio"`
	HeadWidth *int     `json:"head_width"` // of the image tower
	Heads     *int     `json:"heads"`      // of the text tower

	Image      side `json:"image_size"`
	Patch      side `json:"patch_size"`
	Context    int  `json:"context_length"`
	Vocabulary int  `json:"vocab_size"`
	EndOfText  *int `json:"eos_id"`

	Pool *string `json:"pool_type"`
	Timm *string `json:"timm_model_name"`

	Activation map[string]any `json:"act_kwargs"`
	Norm       map[string]any `json:"norm_kwargs"`
}

// openCLIPSwitches make another network of one of open_clip's towers.
var openCLIPSwitches = []string{
	"attentional_pool", "no_ln_pre", "no_causal_mask", "embed_cls", "proj_bias", "qk_norm",
	"scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc", "ls_init_value",
}

// parseOpenCLIP reads open_clip_config.json, as open_clip 3.3 does: model_cfg in it, or all of
// it if it has none. It returns errOther if neither is there.
func parseOpenCLIP(data []byte) (*settings, error) {
	var file struct {
		Model  json.RawMessage `json:"model_cfg"`
		Pixels *openCLIPPixels `json:"preprocess_cfg"`
	}
	if err := unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Model != nil {
		data = file.Model
	}
	var model struct {
		Embed  int             `json:"embed_dim"`
		Quick  *bool           `json:"quick_gelu"`
		Name   string          `json:"model_name"`
		Vision json.RawMessage `json:"vision_cfg"`
		Text   json.RawMessage `json:"text_cfg"`
	}
	if err := unmarshal(data, &model); err != nil {
		return nil, err
	}
	if model.Vision == nil || model.Text == nil {
		return nil, fmt.Errorf("%w: it has no vision_cfg and text_cfg", errOther)
	}
	s := &settings{embed: model.Embed}
	gelu := PlainGELU // open_clip's default
	if model.Quick != nil && *model.Quick || model.Quick == nil && strings.Contains(strings.ToLower(model.Name), "quickgelu") {
		gelu = QuickGELU
	}
	var v, t openCLIPTower
	var err error
	if s.vision, err = v.read(model.Vision, "tok"); err != nil {
		return nil, fmt.Errorf("vision_cfg: %w", err)
	}
	if s.text, err = t.read(model.Text, "argmax", "eos"); err != nil {
		return nil, fmt.Errorf("text_cfg: %w", err)
	}
	s.vision.gelu, s.text.gelu = gelu, gelu

	width, headWidth := v.Width, openCLIPHeadWidth
	if width == 0 {
		width = openCLIPVisionWidth
	}
	if v.HeadWidth != nil {
		headWidth = *v.HeadWidth
	}
	if headWidth <= 0 || headWidth > width {
		return nil, fmt.Errorf("vision_cfg: expected heads of 1 to %d numbers, found head_width %d", width, headWidth)
	}
	s.vision.heads = width / headWidth
	if s.text.heads = openCLIPTextHeads; t.Heads != nil {
		if s.text.heads = *t.Heads; s.text.heads <= 0 {
			s.text.heads = -1
		}
	}
	s.image, s.patch = int(v.Image), int(v.Patch)
	s.context, s.vocabulary = t.Context, t.Vocabulary
	if t.Pool != nil && *t.Pool == "eos" {
		if s.endOfText = 2; t.EndOfText != nil { // open_clip's default
			s.endOfText = *t.EndOfText
		}
	}
	if p := file.Pixels; p != nil {
		s.pixels = p.settings()
	}
	return s, nil
}

// openCLIPPixels is preprocess_cfg.
type openCLIPPixels struct {
	Mean          []float64 `json:"mean"`
	Std           []float64 `json:"std"`
	Interpolation string    `json:"interpolation"`
	Resize        string    `json:"resize_mode"`
}

func (p *openCLIPPixels) settings() pixelSettings {
	s := pixelSettings{mean: p.Mean, std: p.Std, squash: p.Resize == "squash"}
	switch {
	case p.Interpolation != "" && p.Interpolation != "bicubic":
		s.unable = fmt.Sprintf("interpolation %.40q", p.Interpolation)
	case p.Resize != "" && p.Resize != "shortest" && p.Resize != "squash":
		s.unable = fmt.Sprintf("resize_mode %.40q", p.Resize)
	}
	return s
}

// read reads the settings that both towers have. pools are the ways to choose a token that
// the package knows, the default first.
func (t *openCLIPTower) read(data []byte, pools ...string) (s towerSettings, err error) {
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		return s, err
	}
	// Networks of other kinds have fields of other types; what they are comes first.
	for name, other := range map[string]string{"timm_model_name": "a network of timm", "hf_model_name": "another network of Hugging Face"} {
		if kind, ok := all[name].(string); ok && kind != "" {
			s.unable = fmt.Sprintf("%s, %.60q", other, kind)
			return s, nil
		}
	}
	if _, ok := all["layers"].([]any); ok {
		s.unable = "a ResNet"
		return s, nil
	}
	if err := json.Unmarshal(data, t); err != nil {
		return s, err
	}
	s.width = t.Width
	if t.Layers != nil {
		s.layers = *t.Layers
	}
	if r := t.MLPRatio; r != nil && t.Width > 0 {
		if hidden := math.Floor(float64(t.Width) * *r); hidden >= 1 && hidden < 1<<30 {
			s.hidden = int(hidden)
		} else {
			return s, fmt.Errorf("expected the ratio of hidden numbers to the width as mlp_ratio, found %v", *r)
		}
	}
	for _, name := range openCLIPSwitches {
		if on := all[name]; on != nil && on != false {
			s.unable = name
		}
	}
	if t.Pool != nil {
		if !slices.Contains(pools, *t.Pool) {
			s.unable = fmt.Sprintf("pool_type %.40q", *t.Pool)
		}
	}
	if how, ok := t.Activation["approximate"]; ok && how != "none" {
		s.unable = "an approximation of GELU (act_kwargs)"
	}
	if eps, ok := t.Norm["eps"].(float64); ok && !sameEps(eps) {
		s.unable = fmt.Sprintf("an eps of %v in place of %v (norm_kwargs)", eps, normEps)
	}
	return s, nil
}
