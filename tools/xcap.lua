-- SPDX-License-Identifier: BSD-2-Clause
--
-- In:   frames of link type USER0 (147) as xcap-linktypes(7) describes them, and the system
--       calls, switches and processes of pcapng files that xcap writes.
-- Out:  packets, system calls, context switches and losses in Wireshark's list, by name, with
--       fields for filters: xcap.pid == 1292 && xcap.syscall == "write" && xcap.ret < 0
--       Packets have those of their owner, from the comments that ptcpdump writes too.
-- Owns: nothing.
-- Runs on: Wireshark and tshark, 3.6 or later:  tshark -X lua_script:xcap.lua -r FILE

-- name, x86-64 number, i386 number, arm64 number, arguments; put in by make
local calls = {
}

-- names of flags and enumerations, value and mask; put in by make
local forms = {
}

-- number and name of errors; put in by make, but for those that stay in the kernel
local errors = {
	[512] = "ERESTARTSYS", [513] = "ERESTARTNOINTR", [514] = "ERESTARTNOHAND",
	[515] = "ENOIOCTLCMD", [516] = "ERESTART_RESTARTBLOCK", [530] = "EIOCBQUEUED",
}
local addresses = { mmap = true, mmap2 = true, mremap = true, brk = true, shmat = true }

local VERSION, HEAD_LEN = 1, 56
local X86_64, I386, ARM64 = 62, 3, 183
local types = { "packet", "enter", "exit", "switch", "loss", "probe" }
local directions = { [0] = "", "in", "out" }
local machines = { [X86_64] = "x86-64", [I386] = "i386", [ARM64] = "arm64" }
local places = { [0] = "nic_missed", "xsk_no_frame", "xsk_ring_full", "ring_full", "recursion",
	"no_meta", "held", "unread", "redirect", "refused", "wire",
	"queue", "no_reader", "table_full" }

-- calls by machine and number
local by_nr = { [X86_64] = {}, [I386] = {}, [ARM64] = {} }
local nr_of_i386 = {}
for _, call in ipairs(calls) do
	if call[2] == -2 then	-- what i386 has instead stands behind all others
		by_nr[I386][nr_of_i386[call[1]]] = call
	else
		nr_of_i386[call[1]] = call[3]
	end
	for column, machine in ipairs({ X86_64, I386, ARM64 }) do
		if call[column + 1] >= 0 then
			by_nr[machine][call[column + 1]] = call
		end
	end
end

local xcap = Proto("xcap", "xcap record")
local f = {
	version = ProtoField.uint8("xcap.version", "Version"),
	type = ProtoField.string("xcap.type", "Type"),
	head_len = ProtoField.uint16("xcap.head_len", "Header length"),
	flags = ProtoField.uint16("xcap.flags", "Flags", base.HEX),
	late = ProtoField.bool("xcap.late", "Late", 16, nil, 0x1),
	compat = ProtoField.bool("xcap.compat", "32-bit call", 16, nil, 0x2),
	joined = ProtoField.bool("xcap.joined", "Joined", 16, nil, 0x4),
	cpu = ProtoField.uint16("xcap.cpu", "CPU"),
	pid = ProtoField.uint32("xcap.pid", "Process"),
	tid = ProtoField.uint32("xcap.tid", "Thread"),
	uid = ProtoField.uint32("xcap.uid", "User"),
	ifindex = ProtoField.uint32("xcap.ifindex", "Interface number"),
	cgroup = ProtoField.uint64("xcap.cgroup", "Control group"),
	comm = ProtoField.string("xcap.comm", "Name of the task"),
	direction = ProtoField.string("xcap.direction", "Direction"),
	machine = ProtoField.uint16("xcap.machine", "Machine", base.DEC, machines),
	source = ProtoField.uint16("xcap.source", "Source"),
	linktype = ProtoField.uint32("xcap.linktype", "Link type"),
	wire_len = ProtoField.uint32("xcap.wire_len", "Length on the wire"),
	queue = ProtoField.uint32("xcap.queue", "Receive queue"),
	nr = ProtoField.uint32("xcap.nr", "Number of the call"),
	syscall = ProtoField.string("xcap.syscall", "System call"),
	arg = ProtoField.uint64("xcap.arg", "Argument", base.DEC),
	ret = ProtoField.int64("xcap.ret", "Result"),
	wrote = ProtoField.string("xcap.wrote", "The call wrote"),
	next_pid = ProtoField.uint32("xcap.next_pid", "Next process"),
	next_tid = ProtoField.uint32("xcap.next_tid", "Next thread"),
	next_comm = ProtoField.string("xcap.next_comm", "Name of the next task"),
	prev_state = ProtoField.uint32("xcap.prev_state", "State it was left in", base.HEX),
	next_prio = ProtoField.uint32("xcap.next_prio", "Priority of the next task"),
	lost = ProtoField.uint64("xcap.lost", "Records lost"),
	where = ProtoField.string("xcap.where", "Place of the loss"),
	probe = ProtoField.uint32("xcap.probe", "Number of the probe"),
	told = ProtoField.string("xcap.told", "What it tells"),
	exe = ProtoField.string("xcap.exe", "Program"),
	args = ProtoField.string("xcap.args", "Arguments of the program"),
	container = ProtoField.string("xcap.container", "Container"),
	container_name = ProtoField.string("xcap.container_name", "Name of the container"),
	pod = ProtoField.string("xcap.pod", "Pod"),
}
local arg_fields = {}
for i = 0, 5 do
	arg_fields[i] = ProtoField.uint64("xcap.arg" .. i, "Argument " .. i, base.DEC)
end
xcap.fields = { f.version, f.type, f.head_len, f.flags, f.late, f.compat, f.joined, f.cpu, f.pid,
	f.tid, f.uid, f.ifindex, f.cgroup, f.comm, f.direction, f.machine, f.source, f.linktype,
	f.wire_len, f.queue, f.nr, f.syscall, f.arg, f.ret, f.wrote, f.next_pid, f.next_tid, f.next_comm,
	f.prev_state, f.next_prio, f.lost, f.where, f.probe, f.told, f.exe, f.args, f.container, f.container_name,
	f.pod, arg_fields[0], arg_fields[1], arg_fields[2],
	arg_fields[3], arg_fields[4], arg_fields[5] }
local cut = ProtoExpert.new("xcap.cut", "The record is cut", expert.group.MALFORMED,
	expert.severity.WARN)
xcap.experts = { cut }

-- bytes up to a NUL; those that could steer a terminal become \xNN
local function name_of(range)
	local bytes = range:bytes()
	local text = ""

	for i = 0, bytes:len() - 1 do
		local c = bytes:get_index(i)

		if c == 0 then
			break
		elseif c < 0x20 or c >= 0x7f then
			text = text .. string.format("\\x%02x", c)
		else
			text = text .. string.char(c)
		end
	end
	return text
end

-- LINKTYPE_ to the dissector of what is carried; nil: none
local function carried(linktype)
	local w = wtap_encaps or wtap
	local encaps = { [0] = w.NULL, [1] = w.ETHERNET, [101] = w.RAW_IP, [105] = w.IEEE_802_11,
		[113] = w.SLL, [127] = w.IEEE_802_11_RADIOTAP, [228] = w.RAW_IP4,
		[229] = w.RAW_IP6, [276] = w.SLL2 }
	local encap = encaps[linktype]

	return encap and DissectorTable.get("wtap_encap"):get_dissector(encap)
end

local function hex(value)
	return "0x" .. value:tohex():gsub("^0+(%x)", "%1")
end

-- an argument as people read it; its kind is as in the table
local function shown(kind, range, compat)
	local value = range:le_uint64()

	if kind == "f" and range(0, 4):le_int() == -100 then
		return "AT_FDCWD"
	elseif kind == "d" or kind == "f" or (kind == "l" and compat) then
		return tostring(range(0, 4):le_int())
	elseif kind == "l" then
		return tostring(range:le_int64())
	elseif kind == "u" then
		return tostring(value)
	elseif value == UInt64(0) then
		return kind == "p" and "NULL" or "0"
	elseif kind == "o" then
		return string.format("0%o", range(0, 4):le_uint() % 0x200000)
	end
	return hex(value)
end

-- ---- names ----

local function both(a, b)	-- the bits that both have; libraries for this come and go
	local bits, place = 0, 1

	while a > 0 and b > 0 do
		if a % 2 == 1 and b % 2 == 1 then
			bits = bits + place
		end
		a, b, place = math.floor(a / 2), math.floor(b / 2), place * 2
	end
	return bits
end

local function flags_of(form, value)
	local text, rest = {}, value

	for _, n in ipairs(form) do
		local found = n[2] == n[3] and both(rest, n[3]) or both(value, n[3])

		if found == n[2] then
			text[#text + 1] = n[1]
			rest = rest - both(rest, n[3])
		end
	end
	if rest > 0 or #text == 0 then
		text[#text + 1] = rest > 0 and string.format("0x%x", rest) or "0"
	end
	return table.concat(text, "|")
end

-- of one form each value is looked up once
local function named(form, range)
	local value = form.flags and range(0, 4):le_uint() or range(0, 4):le_int()

	form.known = form.known or {}
	if form.known[value] then
		return form.known[value]
	end
	local text = form.flags and flags_of(form, value) or tostring(value)

	for _, n in ipairs(form) do
		if not form.flags and n[2] == value then
			text = n[1]
		end
	end
	form.known[value] = text
	return text
end

-- ---- what arguments refer to: items behind the body ----

local BYTES, STRINGS, NAME, FILE = 1, 2, 4, 5
local LONGEST = 1024		-- of it in a line
local escapes = { [9] = "\\t", [10] = "\\n", [11] = "\\v", [12] = "\\f", [13] = "\\r",
	[34] = '\\"', [92] = "\\\\" }

local function quoted(bytes, from, to)
	local text = {}

	for i = from, math.min(to, from + LONGEST) - 1 do
		local c = bytes:get_index(i)

		text[#text + 1] = escapes[c] or (c >= 0x20 and c < 0x7f and string.char(c)) or
			string.format("\\x%02x", c)
	end
	return '"' .. table.concat(text) .. '"' .. (to - from > LONGEST and "..." or "")
end

-- by argument and kind
local function items_of(body, at)
	local items = {}

	while at + 16 <= body:len() do
		local arg, len = body(at, 1):uint(), body(at + 4, 4):le_uint()

		if at + 16 + len > body:len() then
			break
		end
		items[arg] = items[arg] or {}
		items[arg][body(at + 1, 1):uint()] = {
			range = len > 0 and body(at + 16, len) or nil, len = len,
			cut = body(at + 2, 1):uint() > 0,
		}
		at = at + 16 + len + -len % 8
	end
	return items
end

local function text_item(item)
	local text = item.range and quoted(item.range:bytes(), 0, item.len) or '""'

	return text .. (item.cut and text:sub(-3) ~= "..." and "..." or "")
end

local function strings_item(item)
	local text, from = {}, 0
	local bytes = item.range and item.range:bytes()

	for i = 0, item.len - 1 do
		if bytes:get_index(i) == 0 or i == item.len - 1 then
			text[#text + 1] = quoted(bytes, from, bytes:get_index(i) == 0 and i or i + 1)
			from = i + 1
		end
	end
	return "[" .. table.concat(text, ", ") .. (item.cut and ", ...]" or "]")
end

local function endpoint(family, address, port)
	if family == 2 then
		return tostring(address(0, 4):ipv4()) .. ":" .. port
	end
	return "[" .. tostring(address(0, 16):ipv6()) .. "]:" .. port
end

local function address_item(item)
	local family = item.len >= 2 and item.range(0, 2):le_uint() or 0

	if family == 2 and item.len >= 8 then
		return endpoint(2, item.range(4), item.range(2, 2):uint())
	elseif family == 10 and item.len >= 24 then
		return endpoint(10, item.range(8), item.range(2, 2):uint())
	elseif family == 1 and item.len > 2 then
		local bytes, to = item.range:bytes(), item.len

		if bytes:get_index(2) == 0 then
			return "@" .. quoted(bytes, 3, to)
		end
		for i = item.len - 1, 2, -1 do
			to = bytes:get_index(i) == 0 and i or to
		end
		return quoted(bytes, 2, to)
	end
	return family == 1 and "unnamed" or "family " .. family
end

local function file_item(item)
	local range = item.range

	if not range or item.len < 56 then
		return ""
	end
	local family, here, there = range(17, 1):uint(), range(20, 2):le_uint(), range(22, 2):le_uint()

	if (family == 2 or family == 10) and (here > 0 or there > 0) then
		return "(" .. endpoint(family, range(24, 16), here) ..
			(there > 0 and "→" .. endpoint(family, range(40, 16), there) or "") .. ")"
	end
	return "(" .. (item.len > 56 and name_of(range(56)) or "") .. ")"
end

-- an argument with what it refers to; nil: nothing that is shown
local function referred(kind, form, items)
	local found = items or {}

	if kind == "f" then
		return found[FILE] and file_item(found[FILE])
	elseif found[STRINGS] then
		return strings_item(found[STRINGS])
	elseif not found[BYTES] or (found[BYTES].cut and found[BYTES].len == 0) then
		return nil
	elseif form == "text" then
		return text_item(found[BYTES])
	elseif form == "sockaddr" then
		return address_item(found[BYTES])
	elseif form == "message" then
		return "{" .. (found[NAME] and address_item(found[NAME]) .. ", " or "") ..
			text_item(found[BYTES]) .. "}"
	end
end

-- the letter that ps has for a state
local function state_letter(state)
	local function has(bit)
		return math.floor(state / bit) % 2 == 1
	end

	if has(0x400) and has(2) then
		return "I"
	end
	for i = 0, 6 do
		if has(2 ^ i) then
			return ("SDTtXZP"):sub(i + 1, i + 1)
		end
	end
	return (state == 0 or state == 0x100) and "R" or "?"
end

local bodies = {}

bodies[1] = { size = 16, read = function(body, r, tree, pinfo, root)
	local linktype = body(0, 4):le_uint()
	local at = body(12, 4):le_uint()

	tree:add_le(f.linktype, body(0, 4))
	tree:add_le(f.wire_len, body(4, 4))
	tree:add_le(f.queue, body(8, 4))
	if at < 16 or at >= body:len() then
		return "packet of link type " .. linktype
	end
	local dissector = carried(linktype) or Dissector.get("data")

	pinfo.cols.info = ""
	-- a frame that is cut raises an error in there; what was decoded until then stays
	if not pcall(dissector.call, dissector, body(at):tvb(), pinfo, root) then
		tree:add_proto_expert_info(cut, "The packet is cut or malformed")
	end
end }

-- the mode of an open() that makes nothing is whatever stood in the register
local function is_meant(call, i, body)
	local before = call and call[4 + i]

	if i == 0 or not before or not before:find(" open_flags$") or
	   not call[5 + i]:find("^o ") then
		return true
	end
	return bit.band(body(8 * i, 4):le_uint(), 0x400040) ~= 0	-- O_CREAT, O_TMPFILE
end

bodies[2] = { size = 56, read = function(body, r, tree)
	local call = r:call(body, tree)
	local text, items = {}, items_of(body, 56)

	for i = 0, 5 do
		local range = body(8 + 8 * i, 8)
		local what = call and call[5 + i] or (not call and "p arg" .. i)

		if what and is_meant(call, i, body) then
			local kind, name, form = what:match("^(%a) (%S+) ?(%S*)$")
			local value = forms[form] and named(forms[form], range) or
				shown(kind, range, r.compat)
			local more = referred(kind, form, items[i])

			value = kind == "f" and value .. (more or "") or more or value
			text[#text + 1] = name .. "=" .. value
			tree:add_le(arg_fields[i], range):set_text(
				"Argument " .. i .. ": " .. name .. " = " .. value)
			tree:add_le(f.arg, range):set_hidden()
		end
	end
	return r.task .. " > " .. r.name .. "(" .. table.concat(text, ", ") .. ")"
end }

bodies[3] = { size = 16, read = function(body, r, tree)
	local call = r:call(body, tree)
	local ret = body(8, 8):le_int64()
	local failed = errors[-ret:tonumber()]
	local address = call and not failed and addresses[call[1]]
	local text = address and hex(body(8, 8):le_uint64()) or tostring(ret)

	text = failed and text .. " " .. failed or text
	local wrote, items = {}, items_of(body, 16)

	for i = 0, 5 do
		local kind, name, form = (call and call[5 + i] or ""):match("^(%a) (%S+) ?(%S*)$")
		local more = kind and kind ~= "f" and referred(kind, form, items[i])

		if more then
			wrote[#wrote + 1] = name .. "=" .. more
			tree:add(f.wrote, body(8, 8), name .. " = " .. more)
		end
	end
	if not failed then
		text = text .. (referred("f", "", items[6]) or "")
	end
	tree:add_le(f.ret, body(8, 8)):set_text("Result: " .. text)
	return r.task .. " < " .. r.name ..
		(#wrote > 0 and "(" .. table.concat(wrote, ", ") .. ")" or "") .. " = " .. text
end }

bodies[4] = { size = 32, read = function(body, r, tree)
	local name = name_of(body(8, 16))

	tree:add_le(f.next_pid, body(0, 4))
	tree:add_le(f.next_tid, body(4, 4))
	tree:add(f.next_comm, body(8, 16), name)
	tree:add_le(f.prev_state, body(24, 4))
	tree:add_le(f.next_prio, body(28, 4))
	return r.task .. " -> " .. name .. "[" .. body(4, 4):le_uint() .. "] (" ..
		state_letter(body(24, 4):le_uint()) .. ")"
end }

bodies[5] = { size = 16, read = function(body, r, tree)
	local where = body(8, 4):le_uint()
	local place = places[where] or "place " .. where

	tree:add_le(f.lost, body(0, 8))
	tree:add(f.where, body(8, 4), place)
	return "--- " .. tostring(body(0, 8):le_uint64()) .. " lost (" .. place .. ")"
end }

bodies[6] = { size = 16, read = function(body, r, tree)
	local len = math.min(body(4, 4):le_uint(), body:len() - 16)
	local text = len > 0 and body(16, len):string() or ""

	tree:add_le(f.probe, body(0, 4))
	tree:add(f.told, body(16, len), text)
	return (r.task:sub(1, 1) == "[" and "" or r.task .. " ") .. "* " .. text
end }

-- number and name of the call, of entry and exit alike
local function call_of(r, body, tree)
	local nr = body(0, 4):le_uint()
	local call = by_nr[r.machine] and by_nr[r.machine][nr]

	r.name = call and call[1] or "#" .. nr
	tree:add_le(f.nr, body(0, 4))
	tree:add(f.syscall, body(0, 4), r.name)
	if r.compat then
		r.name = r.name .. "/32"
	end
	return call
end

local function head_of(head, tree, kind)
	local comm = name_of(head(32, 16))
	local flags = head(4, 2)

	tree:add_le(f.version, head(0, 1))
	tree:add(f.type, head(1, 1), kind)
	tree:add_le(f.head_len, head(2, 2))
	local under = tree:add_le(f.flags, flags)

	under:add_le(f.late, flags)
	under:add_le(f.compat, flags)
	under:add_le(f.joined, flags)
	if head(6, 2):le_uint() ~= 0xffff then
		tree:add_le(f.cpu, head(6, 2))
	end
	tree:add_le(f.pid, head(8, 4))
	tree:add_le(f.tid, head(12, 4))
	tree:add_le(f.uid, head(16, 4))
	tree:add_le(f.ifindex, head(20, 4))
	tree:add_le(f.cgroup, head(24, 8))
	tree:add(f.comm, head(32, 16), comm)
	tree:add(f.direction, head(48, 1), directions[head(48, 1):uint()] or "?")
	tree:add_le(f.machine, head(50, 2))
	tree:add_le(f.source, head(52, 2))
	return { task = comm .. "[" .. head(12, 4):le_uint() .. "]", call = call_of,
		compat = math.floor(flags:le_uint() / 2) % 2 == 1, machine = head(50, 2):le_uint() }
end

-- 0: not ours, somebody else's USER0
function xcap.dissector(tvb, pinfo, root)
	local len = tvb:len()

	if len < HEAD_LEN or tvb(0, 1):uint() ~= VERSION then
		return 0
	end
	local head_len = tvb(2, 2):le_uint()
	local body = bodies[tvb(1, 1):uint()]

	if head_len < HEAD_LEN or not body then
		return 0
	end
	local kind = types[tvb(1, 1):uint()]
	local tree = root:add(xcap, tvb(0, math.min(head_len, len)), "xcap record: " .. kind)
	local r = head_of(tvb, tree, kind)

	pinfo.cols.protocol = "xcap"
	if len < head_len + body.size then
		tree:add_proto_expert_info(cut)
		pinfo.cols.info = r.task .. " " .. kind .. " [cut]"
		return len
	end
	local text = body.read(tvb(head_len), r, tree, pinfo, root)

	if text then
		pinfo.cols.info = text
	end
	return len
end

DissectorTable.get("wtap_encap"):add((wtap_encaps or wtap).USER0, xcap)

-- ---- pcapng: a sysdig event, our option behind its parameters is the record ----

local event_type, nr_params = Field.new("sysdig.event_type"), Field.new("sysdig.nparams")
local OPTION, MORE, MAGIC = 0x8ca9, 0x8caa, 0x70616378
local OPTION_HEAD = 52		-- bytes of it before what differs by type
local ENTER, EXIT, SWITCH = 2, 3, 4

-- where the option's value begins; nil: none of ours
local function option_at(tvb)
	local nr, len = nr_params() and nr_params().value or 0, tvb:len()
	local at = 2 * nr

	if not event_type() or at > len then
		return nil
	end
	for i = 0, nr - 1 do
		at = at + tvb(2 * i, 2):le_uint()
	end
	at = at + -at % 4 + 4
	if at + OPTION_HEAD > len or tvb(at - 4, 2):le_uint() ~= OPTION or
	   tvb(at, 4):le_uint() ~= MAGIC then
		return nil
	end
	return at
end

-- what stands behind the option's fixed part, and in those that follow it
local function items_hex(tvb, at, fixed)
	local len, text = tvb(at - 2, 2):le_uint(), {}

	if len > fixed and at + len <= tvb:len() then
		text[1] = tvb(at + fixed, len - fixed):bytes():tohex()
	end
	at = at + len + -len % 4
	while #text > 0 and at + 4 <= tvb:len() and tvb(at, 2):le_uint() == MORE do
		len = tvb(at + 2, 2):le_uint()
		if len == 0 or at + 4 + len > tvb:len() then
			break
		end
		text[#text + 1] = tvb(at + 4, len):bytes():tohex()
		at = at + 4 + len + -len % 4
	end
	return table.concat(text)
end

-- the same record with the header and body that a USER0 frame has; nil: cut
local function as_frame(tvb, at)
	local kind = tvb(at + 4, 2):le_uint()
	local compat = math.floor(tvb(at + 6, 2):le_uint() / 2) % 2 == 1
	local sizes = { [ENTER] = 48, [EXIT] = 8, [SWITCH] = 32 }
	local function hex(from, len)
		return tvb(at + from, len):bytes():tohex()
	end

	if not sizes[kind] or at + OPTION_HEAD + sizes[kind] > tvb:len() then
		return nil
	end
	local head = string.format("%02x%02x3800", VERSION, kind) .. hex(6, 4) .. hex(12, 12) ..
		"00000000" .. hex(28, 24) .. "0000" .. (compat and "0300" or "3e00") .. "00000000"

	if kind == SWITCH then
		return ByteArray.new(head .. hex(52, 8) .. hex(68, 16) .. hex(60, 8))
	end
	return ByteArray.new(head .. hex(24, 4) .. "00000000" .. hex(52, sizes[kind]) ..
		items_hex(tvb, at, OPTION_HEAD + sizes[kind]))
end

-- ---- pcapng: who is behind a packet ----

-- a field that this Wireshark may not have
local function field(name)
	local known, f_or_why = pcall(Field.new, name)

	return known and f_or_why or function() end
end

local comment, block_pen = field("frame.comment"), field("frame.cb_pen")
local WIRESHARK_PEN, PROCESS = 32622, 3

local words = { "PID", "ThreadId", "ThreadName", "UserId", "Cmd", "Args", "ContainerId",
	"ContainerName", "PodUID" }
local fields = { PID = f.pid, ThreadId = f.tid, ThreadName = f.comm, UserId = f.uid,
	Cmd = f.exe, Args = f.args, ContainerId = f.container, ContainerName = f.container_name,
	PodUID = f.pod }
local numbers = { PID = true, ThreadId = true, UserId = true }

-- nil: it is no id
local function id_of(text)
	local n = text:match("^%d+%s*$") and tonumber(text)

	return n and n < 2 ^ 32 and n or nil
end

-- a comment's lines "PID: 1292" by their words; nil: it has none
local function words_of(text, said)
	for word, value in text:gmatch("(%w+):[ \t]*([^\n]*)") do
		if fields[word] and value ~= "" then
			said = said or {}
			if numbers[word] then
				said[word] = id_of(value)
			else
				said[word] = value
			end
		end
	end
	return said
end

local function owner_of(comments, root)
	local said

	for _, c in ipairs(comments) do
		said = words_of(c.value, said)
	end
	if not said or not said.PID then
		return
	end
	local name = said.ThreadName or (said.Cmd or ""):match("[^/]*$")
	local tree = root:add(xcap, "xcap owner: " .. name .. "[" .. said.PID .. "]")

	said.ThreadName = name
	for _, word in ipairs(words) do
		if said[word] then
			tree:add(fields[word], said[word]):set_generated()
		end
	end
end

-- options of a process block: 2 name, 3 path, 4 command line, 6 user
local function process_block(tvb, pinfo, root)
	local len = tvb:len()

	if len < 12 or tvb(0, 4):le_uint() ~= PROCESS or tvb(4, 4):le_uint() < 4 or
	   tvb(4, 4):le_uint() > len - 8 then
		return
	end
	local tree = root:add(xcap, tvb(), "xcap process")
	local texts, at = {}, 12
	local last = 8 + tvb(4, 4):le_uint()

	tree:add_le(f.pid, tvb(8, 4))
	while at + 4 <= last do
		local code, size = tvb(at, 2):le_uint(), tvb(at + 2, 2):le_uint()
		local kind = ({ [2] = f.comm, [3] = f.exe, [4] = f.args })[code]

		if code == 0 or at + 4 + size > last then
			break
		end
		if kind and size > 0 then
			local range = tvb(at + 4, size)

			texts[code] = ByteArray.new((range:bytes():tohex():gsub("(..)", function(b)
				return b == "00" and "20" or b
			end))):raw():gsub("[%c\127-\255]", "?")
			tree:add(kind, range, texts[code])
		elseif code == 6 and size == 4 then
			tree:add_le(f.uid, tvb(at + 4, 4))
		end
		at = at + 4 + size + -size % 4
	end
	pinfo.cols.protocol = "xcap"
	pinfo.cols.info = "process " .. (texts[2] or "") .. "[" .. tvb(8, 4):le_uint() .. "] " ..
		(texts[3] or "") .. (texts[4] and " (" .. texts[4] .. ")" or "")
end

local event = Proto("xcap_event", "xcap record of a sysdig event")

function event.dissector(tvb, pinfo, root)
	local at = option_at(tvb)
	local frame = at and as_frame(tvb, at)

	if frame then
		xcap.dissector(frame:tvb("xcap record"), pinfo, root)
	elseif block_pen() and block_pen().value == WIRESHARK_PEN then
		process_block(tvb, pinfo, root)
	elseif comment() then
		owner_of({ comment() }, root)
	end
end

register_postdissector(event)
