class_name MfnFace
extends Node
## Moves a character by the faces of an MfnLiveLink or an MfnStream: blend shapes by ARKit's names,
## head and eyes, which are bones or nodes.
##
## The character looks along its own +z, as characters that are imported from glTF do. Nodes turn
## from where they are when this one becomes ready, bones from their rest.

const LOST_AFTER_SECONDS := 1.0

## An MfnLiveLink or an MfnStream.
@export var source: Node
## The node that holds the character's meshes and skeleton.
@export var character: Node3D
## The face that moves it; empty: the first that comes, until it has been away for a second.
@export var subject := ""
## Names of bones or, where there is no such bone, of nodes; what is not found does not turn.
@export var head := "head"
@export var eye_left := "eye_left"
@export var eye_right := "eye_right"

var _shapes: Array[Shape] = []
var _head: Part
var _eye_left: Part
var _eye_right: Part
var _leading := ""
var _last_seen_msec := 0


func _ready() -> void:
	if not character or not source:
		push_error("MFN: %s needs a source and a character" % name)
		return
	for mesh: MeshInstance3D in character.find_children("*", "MeshInstance3D", true, false):
		_find_shapes(mesh)
	if character is MeshInstance3D:
		_find_shapes(character)
	if _shapes.is_empty():
		push_warning("MFN: %s has no blend shapes by ARKit's names" % character.name)
	_head = Part.find(character, head)
	_eye_left = Part.find(character, eye_left)
	_eye_right = Part.find(character, eye_right)
	source.connect("face_received", show_face)


## Moves the character, if the face is its subject's.
func show_face(face: MfnFaceData) -> void:
	if not _follows(face.subject):
		return
	for shape in _shapes:
		shape.mesh.set_blend_shape_value(shape.index, face.weights[shape.arkit_name])
	if _head:
		_head.turn(face.head)
	if _eye_left:
		_eye_left.turn(face.eye_left)
	if _eye_right:
		_eye_right.turn(face.eye_right)


func _follows(other: String) -> bool:
	if subject:
		return other == subject
	var now := Time.get_ticks_msec()
	if other != _leading and now - _last_seen_msec < 1000 * LOST_AFTER_SECONDS and _leading:
		return false
	_leading = other
	_last_seen_msec = now
	return true


func _find_shapes(mesh: MeshInstance3D) -> void:
	for index in mesh.get_blend_shape_count():
		var shape := Shape.new()
		shape.arkit_name = MfnArkit.name_of(mesh.mesh.get_blend_shape_name(index))
		shape.mesh = mesh
		shape.index = index
		if shape.arkit_name:
			_shapes.append(shape)


## A blend shape of a mesh.
class Shape:
	var mesh: MeshInstance3D
	var index: int
	var arkit_name: String


## A bone or a node that turns about its own place.
class Part:
	var _skeleton: Skeleton3D
	var _bone := -1
	var _node: Node3D
	## Rotation of the frame that _rest is in, in the frame of the character.
	var _frame: Quaternion
	## The bone's or the node's own rotation before it turns.
	var _rest: Quaternion

	## The bone, or else the node, of this name; null where there is none.
	static func find(character: Node3D, part_name: String) -> Part:
		if not part_name:
			return null
		var part := Part.new()
		for skeleton: Skeleton3D in character.find_children("*", "Skeleton3D", true, false):
			part._bone = skeleton.find_bone(part_name)
			if part._bone >= 0:
				part._skeleton = skeleton
				var parent := skeleton.get_bone_parent(part._bone)
				var rest := Transform3D.IDENTITY
				if parent >= 0:
					rest = skeleton.get_bone_global_rest(parent)
				part._frame = (
					_rotation_in(character, skeleton) * rest.basis.get_rotation_quaternion()
				)
				part._rest = skeleton.get_bone_rest(part._bone).basis.get_rotation_quaternion()
				return part
		part._node = character.find_child(part_name, true, false) as Node3D
		if not part._node:
			return null
		part._frame = _rotation_in(character, part._node.get_parent_node_3d())
		part._rest = part._node.quaternion
		return part

	## Turns it, by a rotation in the frame of the character.
	func turn(by: Quaternion) -> void:
		var local := _frame.inverse() * by * _frame * _rest
		if _skeleton:
			_skeleton.set_bone_pose_rotation(_bone, local)
		else:
			_node.quaternion = local

	static func _rotation_in(character: Node3D, node: Node3D) -> Quaternion:
		var between := character.global_transform.affine_inverse() * node.global_transform
		return between.basis.get_rotation_quaternion()
