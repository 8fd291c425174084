package report

// A Lesson is what the workshop has to say about a network.
type Lesson struct {
	Step  int    // of the workshop; 0 for a network that it does not have
	About string // what is new in it, for who has seen the one before

	// Losses are the training losses that the workshop's source reports, by the name of the
	// output: 1/PSNR in 1/dB, on PASCAL VOC 2007. They are comparable with losses of -loss psnr
	// alone.
	Losses map[string][]Source
}

// LessonOf returns the lesson of a network, by the name that it has on the command line.
func LessonOf(network string) Lesson { return lessons[network] }

var lessons = map[string]Lesson{
	"superresnet": {2, "Two 3×3 convolutions make 64 features of each pixel and its neighbourhood, the features are enlarged to twice the side, and a 1×1 convolution makes colours of them.",
		reported(0.0405, 0.0361)},
	"multi": {3, "New is a second output: the same features are enlarged once more, and each of the two sizes has a 1×1 convolution of its own that makes colours of them. The sum of both losses is what the training makes smaller.",
		reported(0.0421, 0.0366, 0.0460, 0.0417)},
	"residual": {4, "New are residual blocks: two convolutions compute only what is added to the features they were given. Two blocks come before the first enlargement and one between it and the second, with 32 channels where there were 64.",
		reported(0.0399, 0.0361, 0.0447, 0.0405)},
	"dilated": {5, "The blocks are others: three 3×3 convolutions side by side look at neighbours that are one, two and four pixels away (dilation 1, 2 and 4), and a fourth one merges what they found.",
		reported(0.0429, 0.0363, 0.0478, 0.0408)},
	"vgg": {6, "New is help from VGG16, a network that was made to tell a thousand kinds of things apart. Features from its first layers are laid beside those of SuperResNetMulti's two convolutions, and a third convolution merges them. VGG16 itself is frozen: it is not trained any further.",
		reported(0.0402, 0.0364, 0.0438, 0.0416)},
	"clip": {8, "In VGG16's place is CLIP, a network that was made to match pictures with words. The numbers in which it sums up the whole photograph are laid over every pixel, beside the features of the two convolutions. It is frozen, too. The workshop's source reports no losses of it.",
		nil},
	"global": {0, "The workshop does not have this network. It is SuperResNet, with one idea more: the photograph, enlarged by bicubic interpolation, is added to its output, and the sigmoid is gone. So the network need not draw the photograph anew; it learns only the residual, which is what interpolation lacks and small nearly everywhere. This is global residual learning, and takes the same two convolutions past interpolation.",
		nil},
}

// reported makes the losses of the first and the tenth epoch: of mid, and of large if there is
// one.
func reported(losses ...float64) map[string][]Source {
	m := map[string][]Source{"mid": {{1, losses[0]}, {10, losses[1]}}}
	if len(losses) > 2 {
		m["large"] = []Source{{1, losses[2]}, {10, losses[3]}}
	}
	return m
}
