package torchfile

import "strings"

// object takes the tensors of an opaque object.
//
// A module of PyTorch, or of TorchScript, is walked under every path, as its state_dict would.
// Other objects know each other in many ways, so each is walked under its first path only.
func (c *collector) object(o *object) error {
	if o.open {
		return nil
	}
	o.open = true
	defer func() { o.open = false }()
	if m, ok := asModule(o); ok {
		if !c.inModule {
			name := c.name(len(c.path))
			if err := c.m.charge(costPair + costString + len(name)); err != nil {
				return err
			}
			c.f.modules[name] = true
			c.inModule = true
			defer func() { c.inModule = false }()
		}
		return c.module(m)
	}
	if o.seen && !strings.HasPrefix(o.class, "__torch__.") {
		return nil
	}
	o.seen = true
	switch {
	case len(o.items) > 0:
		return c.pairs(o.items) // kinds of dictionaries often have their items as attributes too
	case o.state == nil:
		return c.walk(o.args)
	}
	// (attributes in a dictionary, attributes in slots)
	if pair, ok := o.state.(tuple); ok && len(pair) == 2 && isAttributes(pair[0]) && isAttributes(pair[1]) {
		if err := c.walk(pair[0]); err != nil {
			return err
		}
		return c.walk(pair[1])
	}
	return c.walk(o.state)
}

// isAttributes reports whether a value is a dictionary or None.
func isAttributes(v value) bool {
	_, ok := v.(*dict)
	return ok || v == nil
}

// moduleState is what a pickled torch.nn.Module has. Source: torch/nn/modules/module.py,
// Module.__setstate__ and _save_to_state_dict.
type moduleState struct {
	parameters, buffers, modules *dict
	transient                    *list // names of buffers that a state dict leaves out
}

// asModule reports whether an object has the attributes of a torch.nn.Module.
func asModule(o *object) (m moduleState, ok bool) {
	state, _ := o.state.(*dict)
	m.parameters, _ = state.get("_parameters").(*dict)
	m.buffers, _ = state.get("_buffers").(*dict)
	m.modules, _ = state.get("_modules").(*dict)
	m.transient, _ = state.get("_non_persistent_buffers_set").(*list)
	return m, m.parameters != nil && m.buffers != nil && m.modules != nil
}

// module takes the tensors that the state_dict of a module would have, in its order, and no
// others. Modules do not share their dictionaries, so these need no mark against endless
// descent: the module has one.
func (c *collector) module(m moduleState) error {
	buffers := m.buffers.items
	if m.transient != nil && len(m.transient.items) > 0 {
		if err := c.m.charge((costPair + costMemo) * (len(buffers) + len(m.transient.items))); err != nil {
			return err
		}
		leave := map[string]bool{}
		for _, v := range m.transient.items {
			if name, ok := v.(string); ok {
				leave[name] = true
			}
		}
		buffers = nil
		for _, p := range m.buffers.items {
			if name, ok := p.key.(string); !ok || !leave[name] {
				buffers = append(buffers, p)
			}
		}
	}
	for _, items := range [][]pair{m.parameters.items, buffers, m.modules.items} {
		if err := c.pairs(items); err != nil {
			return err
		}
	}
	return nil
}
