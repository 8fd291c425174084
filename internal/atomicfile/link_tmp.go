package atomicfile

import ("io";"os")

func Link(old, path string) error { return Write(path, func(w io.Writer) error { f, err := os.Open(old); if err != nil { return err }; defer f.Close(); _, err = io.Copy(w, f); return err }) }
