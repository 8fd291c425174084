package torchfile

import (
	"errors"
	"fmt"
	"math"

	"pixelgrad/tensor/safetensors"
)

// storage is a block of elements; tensors are views of it. The pickle only names a storage.
// The place of its bytes in the file is found later.
type storage struct {
	key    string
	folder string // of a zip archive
	dtype  safetensors.DType
	bytes  int64
	offset int64 // in the file; -1 until it is known
}

// view is a storage, or a part of one in old files. Counts are in bytes.
type view struct {
	st         *storage
	off, bytes int64
}

// storageTypes maps the classes of storages to element types.
var storageTypes = map[global]safetensors.DType{
	"torch.FloatStorage": safetensors.F32, "torch.HalfStorage": safetensors.F16,
	"torch.BFloat16Storage": safetensors.BF16, "torch.DoubleStorage": safetensors.F64,
	"torch.LongStorage": "I64", "torch.IntStorage": "I32", "torch.ShortStorage": "I16",
	"torch.CharStorage": "I8", "torch.ByteStorage": "U8", "torch.BoolStorage": "BOOL",
	"torch.ComplexFloatStorage": "C64", "torch.ComplexDoubleStorage": "C128",
	"torch.UntypedStorage": "U8", "torch.storage.UntypedStorage": "U8",
	"torch.QInt8Storage": "I8", "torch.QUInt8Storage": "U8", "torch.QInt32Storage": "I32",
	"torch.QUInt4x2Storage": "U8", "torch.QUInt2x4Storage": "U8",
}

// dtypes maps PyTorch's names of element types to element types.
var dtypes = map[global]safetensors.DType{
	"torch.float32": safetensors.F32, "torch.float16": safetensors.F16,
	"torch.bfloat16": safetensors.BF16, "torch.float64": safetensors.F64,
	"torch.int64": "I64", "torch.int32": "I32", "torch.int16": "I16", "torch.int8": "I8",
	"torch.uint64": "U64", "torch.uint32": "U32", "torch.uint16": "U16", "torch.uint8": "U8",
	"torch.bool": "BOOL", "torch.complex64": "C64", "torch.complex128": "C128",
	"torch.float8_e4m3fn": "F8_E4M3", "torch.float8_e5m2": "F8_E5M2", "torch.float8_e8m0fnu": "F8_E8M0",
	"torch.float8_e4m3fnuz": "F8_E4M3FNUZ", "torch.float8_e5m2fnuz": "F8_E5M2FNUZ",
}

// width returns the size of an element in bytes. Safetensors has no type of 16 bytes.
func width(d safetensors.DType) int {
	if d == "C128" {
		return 16
	}
	return d.Bits() / 8
}

// persistent replaces a tuple with the name of a storage by the storage:
//
//	('storage', torch.FloatStorage, key, location, elements)
//	('storage', torch.FloatStorage, key, location, elements, None or (key, offset, elements))
//
// and the tuple of a class of modules by the class:
//
//	('module', class, source file, source)
func (m *machine) persistent() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	t, _ := v.(tuple)
	if len(t) == 4 && t[0] == value("module") {
		return m.push(t[1], 0)
	}
	if len(t) < 5 || len(t) > 6 || t[0] != value("storage") {
		return errors.New("expected ('storage', type, key, location, elements)")
	}
	class, ok := t[1].(global)
	dtype, known := storageTypes[class]
	key, isText := t[2].(string)
	n, isInt := t[4].(int64)
	if !ok || !isText || !isInt {
		return fmt.Errorf("expected ('storage', type, key, location, elements), found %s, %s and %s for type, key and elements", describe(t[1]), describe(t[2]), describe(t[4]))
	}
	if !known { // an error if a tensor needs it
		return m.push(&object{class: string(class)}, costOpaque)
	}
	width := int64(width(dtype))
	if n < 0 || n > math.MaxInt64/width {
		return fmt.Errorf("storage %s has the impossible number of %d elements", quote(key), n)
	}
	st := m.storages[key]
	if st == nil {
		if err := m.charge(costObject + costMemo); err != nil {
			return err
		}
		st = &storage{key: key, folder: m.folder, dtype: dtype, bytes: n * width, offset: -1}
		m.storages[key] = st
	}
	if st.dtype != dtype || st.bytes != n*width {
		return fmt.Errorf("storage %s is %d bytes of %s here and %d bytes of %s elsewhere", quote(key), n*width, dtype, st.bytes, st.dtype)
	}
	p := &view{st: st, bytes: st.bytes}
	if len(t) == 6 && t[5] != nil {
		part, _ := t[5].(tuple)
		if len(part) != 3 {
			return fmt.Errorf("storage %s: expected None or (key, offset, elements) for the view, found %s", quote(key), describe(t[5]))
		}
		off, ok1 := part[1].(int64)
		size, ok2 := part[2].(int64)
		if !ok1 || !ok2 || off < 0 || size < 0 || off > n || size > n-off {
			return fmt.Errorf("storage %s: its view is not inside its %d elements", quote(key), n)
		}
		p.off, p.bytes = off*width, size*width
	}
	return m.push(p, costObject)
}
