class_name MfnArkit
extends RefCounted
## ARKit's names of what a face does, and how characters spell them.

## The 52 names, in the order of a datagram of Live Link Face.
const SHAPES: PackedStringArray = [
	"eyeBlinkLeft",
	"eyeLookDownLeft",
	"eyeLookInLeft",
	"eyeLookOutLeft",
	"eyeLookUpLeft",
	"eyeSquintLeft",
	"eyeWideLeft",
	"eyeBlinkRight",
	"eyeLookDownRight",
	"eyeLookInRight",
	"eyeLookOutRight",
	"eyeLookUpRight",
	"eyeSquintRight",
	"eyeWideRight",
	"jawForward",
	"jawLeft",
	"jawRight",
	"jawOpen",
	"mouthClose",
	"mouthFunnel",
	"mouthPucker",
	"mouthLeft",
	"mouthRight",
	"mouthSmileLeft",
	"mouthSmileRight",
	"mouthFrownLeft",
	"mouthFrownRight",
	"mouthDimpleLeft",
	"mouthDimpleRight",
	"mouthStretchLeft",
	"mouthStretchRight",
	"mouthRollLower",
	"mouthRollUpper",
	"mouthShrugLower",
	"mouthShrugUpper",
	"mouthPressLeft",
	"mouthPressRight",
	"mouthLowerDownLeft",
	"mouthLowerDownRight",
	"mouthUpperUpLeft",
	"mouthUpperUpRight",
	"browDownLeft",
	"browDownRight",
	"browInnerUp",
	"browOuterUpLeft",
	"browOuterUpRight",
	"cheekPuff",
	"cheekSquintLeft",
	"cheekSquintRight",
	"noseSneerLeft",
	"noseSneerRight",
	"tongueOut",
]
## Two that some characters have by halves.
const WITHOUT_SIDES: PackedStringArray = ["browInnerUp", "cheekPuff"]

static var _spellings: Dictionary = {}


## ARKit's name of a blend shape, whose own may be eyeBlinkLeft, EyeBlink_L, eye_blink.L or
## head.eyeBlinkLeft; "" where it is none of the 52.
static func name_of(blend_shape: String) -> String:
	if _spellings.is_empty():
		_spellings = _all_spellings()
	var after_prefix := blend_shape.replace(":", ".").get_slice(".", 1)
	return _spellings.get(_plain(blend_shape), _spellings.get(_plain(after_prefix), ""))


static func _all_spellings() -> Dictionary:
	var found := {}
	for shape in SHAPES:
		found[_plain(shape)] = shape
		for side: String in ["Left", "Right"]:
			if shape.ends_with(side):
				found[_plain(shape.trim_suffix(side) + side[0])] = shape
	for shape in WITHOUT_SIDES:
		for side: String in ["Left", "Right", "L", "R"]:
			found[_plain(shape + side)] = shape
	return found


static func _plain(spelling: String) -> String:
	var plain := ""
	for letter in spelling.to_lower():
		if (letter >= "a" and letter <= "z") or (letter >= "0" and letter <= "9"):
			plain += letter
	return plain
