package superres

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
	"pixelgrad/tensor/weightfile"
)

// ErrUnsupported is what errors.Is finds in an error of Recognize if the file has the weights of a
// known network that is not built here.
var ErrUnsupported = errors.New("this network is not supported")

// supported is what errors say there is.
const supported = "SRVGGNetCompact (realesr-general-x4v3, realesr-animevideov3) and RRDBNet (ESRGAN, RealESRGAN_x4plus, _x2plus and _anime_6B) are"

// Recognize returns the network whose weights a file holds. The names of the tensors tell the
// architecture, and their shapes its sizes, as in spandrel. RRDBNet may have the names of
// Real-ESRGAN, of BSRGAN or those that ESRGAN first had. Every tensor must belong to the network:
// one with a part more is another network. path is what errors call the file.
//
// Errors say what was found: the name of a network that is not supported (ErrUnsupported), names
// that no network has, a tensor that is missing, has another shape than the others tell, or numbers
// that are not finite. No memory is taken for weights before their shape is checked.
func Recognize(path string, f *weightfile.File) (Network, error) {
	s := &state{path: path, file: f, in: map[string]string{}, read: map[string]bool{}}
	names := f.Names()
	for _, name := range names {
		s.in[strings.TrimPrefix(name, "model.")] = name // weightfile has removed it if all names had it
	}
	if len(s.in) < len(names) {
		return nil, fmt.Errorf("%s: expected the weights of one network: some tensors are there with %q before their name and without", path, "model.")
	}
	if name := s.known(); name != "" {
		return nil, fmt.Errorf("%s: found the weights of %s: %w; %s", path, name, ErrUnsupported, supported)
	}
	s.renameRRDB()
	var network Network
	switch {
	case s.has("conv_first.weight") && s.has("body.0.rdb1.conv1.weight"):
		network = s.rrdb()
	case s.has("body.0.weight") && len(s.in) == s.count("body."):
		network = s.srvgg()
	default:
		return nil, fmt.Errorf("%s: expected the weights of a network that enlarges pictures, found tensors that no known one has: %s; %s supported", path, s.some(), supported)
	}
	if s.err == nil {
		s.checkRest(network)
	}
	if s.err != nil {
		return nil, fmt.Errorf("%s: %w", path, s.err)
	}
	return network, nil
}

// others lists the networks that are known and not supported: by names of tensors, all of which
// they have and the supported ones have not. Names are without "model." at the beginning. The first
// that fits counts.
//
// Sources: the conditions in spandrel and spandrel_extra_arches; for SPSR, chaiNNer.
var others = []struct {
	name string
	has  []string
}{
	{"MM-RealSR", []string{"am_list.0.fc.0.weight", "body.0.rdb1.conv1.weight"}},
	{"SPSR", []string{"f_HR_conv1.0.weight"}},
	{"ESRGAN+", []string{"1.sub.0.RDB1.conv1x1.weight"}},
	{"EDSR", []string{"head.0.weight", "body.0.body.0.weight", "tail.0.0.weight"}},
	{"RCAN", []string{"body.0.body.0.body.0.weight", "body.0.body.0.body.3.conv_du.0.weight"}},
	{"ATD", []string{"layers.0.residual_group.td"}},
	{"CRAFT", []string{"layers.0.residual_group.hf_blocks.0.attn.temperature"}},
	{"HAT", []string{"layers.0.residual_group.overlap_attn.relative_position_bias_table"}},
	{"GRL", []string{"layers.0.blocks.0.attn.window_attn.attn_transform.logit_scale"}},
	{"SRFormer", []string{"layers.0.residual_group.blocks.0.attn.aligned_relative_position_index"}},
	{"Swin2SR", []string{"layers.0.residual_group.blocks.0.norm1.weight", "patch_embed.proj.weight"}},
	{"SwinIR", []string{"layers.0.residual_group.blocks.0.norm1.weight"}},
	{"RGT", []string{"before_RG.1.weight", "layers.0.blocks.0.gamma"}},
	{"DAT", []string{"before_RG.1.weight"}},
	{"DRCT", []string{"layers.0.swin1.norm1.weight", "layers.0.adjust1.weight"}},
	{"DITN", []string{"UFONE.0.ITLs.0.attn.temperature"}},
	{"DCTLSA", []string{"B1.body.0.transformer_body.0.blocks.0.attn.qkv.weight"}},
	{"OmniSR", []string{"residual_layer.0.residual_layer.0.layer.0.fn.0.weight"}},
	{"SPAN", []string{"block_1.c1_r.sk.weight"}},
	{"SAFMN", []string{"feats.0.safm.mfr.0.weight"}},
	{"SAFMN BCIE", []string{"feats.0.layers.0.safm.mfr.0.weight"}},
	{"PLKSR", []string{"feats.1.refine.weight"}},
	{"MoSR", []string{"gblocks.1.fc1.weight"}},
	{"MoESR", []string{"in_to_dim.weight", "blocks.0.blocks.0.gamma"}},
	{"SeemoRe", []string{"body.0.local_block.norm_1.weight"}},
	{"FDAT", []string{"groups.0.blocks.0.inter.cg.1.weight"}},
	{"AuraSR", []string{"mid_attn.layers.0.0.to_out.weight"}},
	{"SwiftSRGAN", []string{"initial.cnn.depthwise.weight"}},
	{"Real-CUGAN", []string{"unet1.conv1.conv.0.weight"}},
	{"GFPGAN", []string{"stylegan_decoder.style_mlp.1.weight"}},
	{"CodeFormer", []string{"idx_pred_layer.1.weight", "quantize.embedding.weight"}},
	{"RestoreFormer", []string{"quantize.embedding.weight", "encoder.conv_in.weight"}},
	{"FeMaSR", []string{"multiscale_encoder.in_conv.weight"}},
	{"SCUNet", []string{"m_head.0.weight", "m_tail.0.weight"}},
	{"DRUNet", []string{"m_head.weight", "m_tail.weight"}},
	{"NAFNet", []string{"intro.weight", "middle_blks.0.beta"}},
	{"IPT", []string{"sub_mean.weight", "body.encoder.layers.0.linear1.weight"}},
	{"MIRNet-v2", []string{"body.0.body.0.dau_top.body.0.weight"}},
	{"MPRNet", []string{"shallow_feat1.0.weight"}},
	{"Restormer", []string{"patch_embed.proj.weight", "encoder_level1.0.attn.temperature"}},
	{"Uformer", []string{"input_proj.proj.0.weight", "encoderlayer_0.blocks.0.norm1.weight"}},
	{"DnCNN", []string{"0.weight", "2.weight", "4.weight", "6.weight", "8.weight", "10.weight"}},
}

// A state is the weights of a file, while a network is made of them.
type state struct {
	path string
	file *weightfile.File
	in   map[string]string // the name in the file of each name that the network has
	read map[string]bool   // names that the network has asked for
	size int               // how many numbers it has read
	err  error             // the first one
}

func (s *state) has(name string) bool { return s.in[name] != "" }

// count returns how many names begin with a prefix.
func (s *state) count(prefix string) int {
	n := 0
	for name := range s.in {
		if strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return n
}

// some lists a few names, as they are in the file.
func (s *state) some() string {
	const most = 6
	names := s.file.Names()
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	var quoted []string
	for _, n := range names {
		quoted = append(quoted, fmt.Sprintf("%.100q", n))
	}
	return strings.Join(quoted, ", ") + more
}

// known returns the name of the network in the list of others whose tensors there are, or "".
func (s *state) known() string {
	for _, o := range others {
		if !slices.ContainsFunc(o.has, func(name string) bool { return !s.has(name) }) {
			return o.name
		}
	}
	return ""
}

// shape returns the shape of a tensor. An error is noted unless it has so many dimensions, none
// larger than anything that a network has.
func (s *state) shape(name string, rank int) []int {
	ones := slices.Repeat([]int{1}, rank)
	if s.err != nil {
		return ones
	}
	if !s.has(name) {
		s.missing(name)
		return ones
	}
	info, err := s.file.Info(s.in[name])
	if err != nil {
		s.err = err
		return ones
	}
	const largest = 4096
	if len(info.Shape) != rank || slices.Min(info.Shape) < 1 || slices.Max(info.Shape) > largest {
		s.err = fmt.Errorf("tensor %q has shape %v: want %d dimensions, from 1 to %d each", s.in[name], info.Shape, rank, largest)
		return ones
	}
	return info.Shape
}

func (s *state) missing(name string) {
	s.err = fmt.Errorf("no tensor %q among the %d, which has to be there beside %s: the file is incomplete, or of another network", name, len(s.in), s.some())
}

// parameter reads a tensor. An error is noted if it is not there, has not this shape or numbers
// that are not finite; after an error it returns nil.
func (s *state) parameter(name string, shape ...int) *autograd.Value {
	if s.err != nil {
		return nil
	}
	s.read[name] = true
	if !s.has(name) {
		s.missing(name)
		return nil
	}
	info, err := s.file.Info(s.in[name])
	if err == nil && !slices.Equal(info.Shape, shape) {
		err = fmt.Errorf("tensor %q has shape %v, want %v, as the other tensors tell", s.in[name], info.Shape, shape)
	}
	// A file of PyTorch's may repeat a few numbers as often as it likes.
	if n := product(shape); err == nil && n > mostNumbers-s.size {
		err = fmt.Errorf("tensor %q of shape %v makes more than %d numbers together with those before it: no network of this kind is so large", s.in[name], shape, mostNumbers)
	} else {
		s.size += n
	}
	var t *tensor.Tensor
	if err == nil {
		t, err = s.file.Tensor(s.in[name])
	}
	if err != nil {
		s.err = err
		return nil
	}
	for i, v := range t.Data() {
		if v-v != 0 { // NaN, or infinite
			s.err = fmt.Errorf("tensor %q, number %d: expected a finite number, found %v: these weights are from a training that diverged, or damaged", s.in[name], i, v)
			return nil
		}
	}
	return autograd.Parameter(t)
}

// mostNumbers is the size of a network that is certainly none: RealESRGAN_x4plus has 17 million. It
// is a variable for the tests.
var mostNumbers = 1 << 27

// product returns how many numbers a tensor has whose dimensions have been compared with those of
// a network.
func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// checkRest notes an error if there are tensors that the network has not asked for.
func (s *state) checkRest(n Network) {
	var rest []string
	for name, inFile := range s.in {
		if !s.read[name] {
			rest = append(rest, inFile)
		}
	}
	if len(rest) > 0 {
		slices.Sort(rest)
		s.err = fmt.Errorf("expected the weights of %v, found %d tensors more, such as %.100q: a variant of it; %w", n, len(rest), rest[0], ErrUnsupported)
	}
}

// oldBlock and oldTrunk match names of RRDBNet in ESRGAN's first code and in BSRGAN's.
var (
	oldBlock = regexp.MustCompile(`^(?:1\.sub|RRDB_trunk)\.(\d+)\.RDB([1-3])\.(conv[1-5])(?:\.0)?\.(weight|bias)$`)
	oldTrunk = regexp.MustCompile(`^1\.sub\.(\d+)\.(weight|bias)$`)
	oldLayer = regexp.MustCompile(`^(\d+)\.(weight|bias)$`)
	bsrgan   = strings.NewReplacer("trunk_conv.", "conv_body.", "upconv", "conv_up", "HRconv.", "conv_hr.")
)

// renameRRDB gives the tensors of an RRDBNet the names that they have in Real-ESRGAN:
//
//	ESRGAN                        BSRGAN                      Real-ESRGAN
//	0                             conv_first                  conv_first
//	1.sub.N.RDB1.conv1.0          RRDB_trunk.N.RDB1.conv1     body.N.rdb1.conv1
//	1.sub.BLOCKS                  trunk_conv                  conv_body
//	3, 6 …                        upconv1, upconv2 …          conv_up1, conv_up2 …
//	3·DOUBLINGS+2                 HRconv                      conv_hr
//	3·DOUBLINGS+4                 conv_last                   conv_last
//
// In the left column layers without weights, and BLOCKS, count too. Other names stay.
func (s *state) renameRRDB() {
	first := s.has("1.sub.0.RDB1.conv1.0.weight")
	if !first && !s.has("RRDB_trunk.0.RDB1.conv1.weight") {
		return
	}
	last := 0
	for name := range s.in {
		if m := oldLayer.FindStringSubmatch(name); m != nil {
			last = max(last, number(m[1]))
		}
	}
	renamed := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.in)) {
		inFile := s.in[name]
		if m := oldBlock.FindStringSubmatch(name); m != nil {
			name = fmt.Sprintf("body.%d.rdb%s.%s.%s", number(m[1]), m[2], m[3], m[4])
		} else if m := oldTrunk.FindStringSubmatch(name); first && m != nil && !s.has(fmt.Sprintf("1.sub.%d.RDB1.conv1.0.weight", number(m[1]))) {
			name = "conv_body." + m[2]
		} else if m := oldLayer.FindStringSubmatch(name); first && m != nil {
			switch i := number(m[1]); {
			case i == 0:
				name = "conv_first." + m[2]
			case i == last:
				name = "conv_last." + m[2]
			case i == last-2:
				name = "conv_hr." + m[2]
			case i%3 == 0:
				name = fmt.Sprintf("conv_up%d.%s", i/3, m[2])
			}
		} else if !first {
			name = bsrgan.Replace(name)
		}
		if renamed[name] != "" {
			s.err = fmt.Errorf("tensors %q and %q are both %s of an RRDBNet", inFile, renamed[name], name)
		}
		renamed[name] = inFile
	}
	s.in = renamed
}

// number returns the number that digits are: a very large one for too many.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return math.MaxInt32
	}
	return min(n, math.MaxInt32)
}

// rrdb returns an RRDBNet with the sizes that the shapes tell. An error is noted in s.
func (s *state) rrdb() Network {
	first, last := s.shape("conv_first.weight", 4), s.shape("conv_last.weight", 4)
	growth := s.shape("body.0.rdb1.conv1.weight", 4)[0]
	sizes := RRDBSizes{Channels: last[0], Features: first[0], Growth: growth, Unshuffle: 1}
	for _, u := range []int{2, 4} {
		if first[1] == last[0]*u*u {
			sizes.Unshuffle = u
		}
	}
	for s.has(fmt.Sprintf("body.%d.rdb1.conv1.weight", sizes.Blocks)) {
		sizes.Blocks++
	}
	for s.has(fmt.Sprintf("conv_up%d.weight", sizes.Doublings+1)) && sizes.Doublings < 5 {
		sizes.Doublings++
	}
	if s.err == nil && 1<<sizes.Doublings%sizes.Unshuffle != 0 {
		s.err = fmt.Errorf("an RRDBNet that first makes its pictures %d times smaller and then %d times larger: %w", sizes.Unshuffle, 1<<sizes.Doublings, ErrUnsupported)
	}
	if s.err != nil {
		return nil
	}
	return newRRDBNet(&builder{from: s}, sizes)
}

// srvgg returns an SRVGGNetCompact with the sizes that the shapes tell. An error is noted in s.
func (s *state) srvgg() Network {
	last := 0
	for name := range s.in {
		if m := oldLayer.FindStringSubmatch(strings.TrimPrefix(name, "body.")); m != nil {
			last = max(last, number(m[1]))
		}
	}
	if last < 2 || last%2 != 0 || last/2 > len(s.in) {
		s.err = fmt.Errorf("expected convolutions and activations by turns, as in SRVGGNetCompact, found %s", s.some())
		return nil
	}
	first, shuffled := s.shape("body.0.weight", 4), s.shape(numbered("body", last)+".weight", 4)[0]
	channels, scale := first[1], 1
	for scale*scale*channels < shuffled {
		scale++
	}
	switch {
	case s.err != nil:
	case scale*scale*channels != shuffled:
		s.err = fmt.Errorf("an SRVGGNetCompact that makes %d channels of %d, which is no square times: %w", shuffled, channels, ErrUnsupported)
	case !s.has("body.1.weight"):
		s.err = fmt.Errorf("an SRVGGNetCompact without slopes of PReLU: the file does not tell whether its activation is ReLU or LeakyReLU: %w", ErrUnsupported)
	}
	if s.err != nil {
		return nil
	}
	return newSRVGGNetCompact(&builder{from: s}, channels, first[0], last/2-1, scale, PReLU)
}
