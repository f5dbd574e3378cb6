extends Node3D
## What the addon makes of faces, on a character; prints it as JSON: see test_in_godot.py.

const PARTS: Array[String] = ["head", "eye_left", "eye_right"]
const FRAMES_AT_MOST := 3000

var _given: Dictionary
var _character: Node3D
var _mesh: MeshInstance3D


func _ready() -> void:
	_given = JSON.parse_string(FileAccess.get_file_as_string("res://given.json"))
	_load_character()
	var facts := {"program": Engine.get_version_info()["string"], "names": []}
	for spelling: String in _given["spellings"]:
		facts["names"].append(MfnArkit.name_of(spelling))
	facts["live"] = await _live()
	facts["refused"] = _refused()
	_character.free()
	_load_character()
	facts["streamed"] = await _streamed()
	facts["rested"] = await _rested(load("res://person-1.neutral.json"))
	var other := JSON.new()
	other.data = []
	facts["unrested"] = await _rested(other)
	facts["silence"] = await _silence()
	print("FACTS " + JSON.stringify(facts))
	get_tree().quit()


func _load_character() -> void:
	var document := GLTFDocument.new()
	var state := GLTFState.new()
	document.append_from_buffer(FileAccess.get_file_as_bytes("res://human.glb"), "", state)
	_character = document.generate_scene(state)
	# Wherever it stands and looks, its head turns in its own frame.
	_character.transform = Transform3D(Basis(Vector3(1, 2, 3).normalized(), 0.7), Vector3(1, 2, 3))
	add_child(_character)
	_mesh = _character.find_child("face", true, false)


func _live() -> Array:
	var source := MfnLiveLink.new()
	source.port = 0
	add_child(source)
	var face := MfnFace.new()
	face.source = source
	face.character = _character
	face.subject = _given["subject"]
	_character.add_child(face)
	await get_tree().process_frame
	var found := [_pose()]
	for datagram: String in _given["datagrams"]:
		var data := MfnLiveLink.read(datagram.hex_decode())
		source.face_received.emit(data)
		await get_tree().process_frame
		found.append(_pose().merged({"subject": data.subject}))
	return found


func _pose() -> Dictionary:
	var shapes := {}
	for index in _mesh.get_blend_shape_count():
		shapes[_mesh.mesh.get_blend_shape_name(index)] = _mesh.get_blend_shape_value(index)
	var turned := {}
	for part in PARTS:
		turned[part] = _rows(_basis(part))
	return {"shapes": shapes, "parts": turned}


func _basis(part: String) -> Basis:
	var skeleton: Skeleton3D = _character.find_children("*", "Skeleton3D", true, false)[0]
	var bone := skeleton.find_bone(part)
	var node: Node3D = null if bone >= 0 else _character.find_child(part, true, false)
	var place := node.global_transform if node else skeleton.global_transform
	if bone >= 0:
		place *= skeleton.get_bone_global_pose(bone)
	return (_character.global_transform.affine_inverse() * place).basis.orthonormalized()


func _rows(basis: Basis) -> Array:
	var columns := [basis.x, basis.y, basis.z]
	return range(3).map(func(row: int) -> Array: return columns.map(func(c): return c[row]))


func _refused() -> Array:
	return _given["noise"].map(
		func(datagram: String) -> bool: return MfnLiveLink.read(datagram.hex_decode()) == null
	)


func _streamed() -> Dictionary:
	var picture := Image.new()
	picture.load_jpg_from_buffer(FileAccess.get_file_as_bytes("res://picture.jpg"))
	var stream := MfnStream.new()
	stream.url = _given["stream"]
	stream.key = _given["key"]
	var face := MfnFace.new()
	face.source = stream
	face.character = _character
	add_child(stream)
	add_child(face)
	var told := {"answers": [], "problems": []}
	stream.answered.connect(func(faces: Array) -> void: told["answers"].append(faces.size()))
	stream.refused.connect(func(problem: String) -> void: told["problems"].append(problem))
	var sent := 0
	for frame in FRAMES_AT_MOST:
		sent += int(stream.send(picture))
		if told["answers"].size() >= 3:
			break
		await get_tree().process_frame
	told["sent"] = sent
	return told.merged(_pose())


## The first face of a stream with a saved resting face, and what the stream tells.
func _rested(neutral: JSON) -> Dictionary:
	var picture := Image.new()
	picture.load_jpg_from_buffer(FileAccess.get_file_as_bytes("res://picture.jpg"))
	var stream := MfnStream.new()
	stream.url = _given["stream"]
	stream.key = _given["key"]
	stream.jpeg_quality = 1.0
	stream.neutral = neutral
	add_child(stream)
	var told := {"problems": []}
	stream.face_received.connect(func(face: MfnFaceData) -> void: told["weights"] = face.weights)
	stream.refused.connect(func(problem: String) -> void: told["problems"].append(problem))
	for frame in FRAMES_AT_MOST:
		stream.send(picture)
		if told.has("weights"):
			break
		await get_tree().process_frame
	stream.queue_free()
	return told


## What a stream tells of a service that takes a picture and answers nothing, twice.
func _silence() -> Array:
	var stream := MfnStream.new()
	stream.url = _given["silent"]
	stream.longest_silence = 0.1
	add_child(stream)
	var told := []
	stream.refused.connect(func(problem: String) -> void: told.append(problem))
	for frame in FRAMES_AT_MOST:
		stream.send(Image.create(8, 8, false, Image.FORMAT_RGB8))
		if told.size() >= 2:
			break
		await get_tree().process_frame
	return told
