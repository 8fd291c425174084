package main

import (
	"fmt"

	"pixelgrad/cmd/internal/tensorboard"
	"pixelgrad/nn/train"
)

// openBoard begins the file that TensorBoard reads, if -tensorboard wants it. That it cannot be
// written never ends a training.
func (t *trainer) openBoard() {
	if !t.TensorBoard {
		return
	}
	var err error
	if t.board, err = tensorboard.Create(t.dir, int64(t.resumed)); err != nil {
		fmt.Fprintf(t.log, "train: TensorBoard will not see this training: %v\n", err)
	}
}

// boardStep writes the curves that have a point for every step.
func (t *trainer) boardStep(s train.Step) {
	if t.board == nil {
		return
	}
	step := int64(s.Step)
	for i, v := range s.Losses {
		t.board.Scalar(fmt.Sprintf("loss/train %d", t.sides()[i]), step, v)
	}
	t.board.Scalar("learning rate", step, s.LearningRate)
	if t.ClipNorm > 0 {
		t.board.Scalar("gradient norm", step, s.Norm)
	}
}

// boardEpoch writes the curves that have a point for every epoch, and what the network makes of the
// validation photographs.
func (t *trainer) boardEpoch(e pastEpoch) {
	if t.board == nil || e.Val == nil {
		return
	}
	step := int64(e.Steps)
	for i, v := range e.Val {
		t.board.Scalar(fmt.Sprintf("loss/validation %d", t.sides()[i]), step, v)
		t.board.Scalar(fmt.Sprintf("psnr/validation %d", t.sides()[i]), step, float64(e.PSNR[i]))
	}
	for i := range min(shown, t.photos.val.Len()) {
		outputs, err := t.predict(t.modelRun, i)
		if err != nil {
			t.say(err)
			return
		}
		for j, p := range outputs {
			t.board.Image(fmt.Sprintf("prediction %d/%s", t.sides()[j], t.photos.val.Names[i]), step, p.RGB)
		}
	}
}

// flushBoard has all that was written be in the file before a checkpoint is: a training that goes on
// from there writes the rest.
func (t *trainer) flushBoard() { t.giveUpBoard(t.board.Flush()) }

func (t *trainer) closeBoard() { t.giveUpBoard(t.board.Close()) }

// giveUpBoard says that the file cannot be written any more.
func (t *trainer) giveUpBoard(err error) {
	if err != nil {
		fmt.Fprintf(t.log, "train: TensorBoard will see no more of this training: %v\n", err)
		t.board = nil
	}
}
