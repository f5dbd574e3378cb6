class_name MfnFaceData
extends RefCounted
## A face at a time.
##
## Rotations are in the frame of glTF and of Godot's imported characters: right-handed, x to the
## subject's left, y up, z where the face looks.

## Degrees that an eye turns by at weight 1.
const EYE_DOWN := 35.0
const EYE_UP := 27.1
const EYE_OUT := 39.0
const EYE_IN := 21.5

## The person: "mfn" for the leading face, or "mfn-1", "mfn-2" and so on.
var subject := ""
## Weights from 0 to 1 by ARKit's 52 names, Left and Right being the subject's.
var weights := {}
## How the head turns.
var head := Quaternion.IDENTITY
## How the eyeballs turn, relative to the head.
var eye_left := Quaternion.IDENTITY
var eye_right := Quaternion.IDENTITY


## Turns the eyes as the weights of eyeLook* tell.
func look_by_weights() -> void:
	eye_left = _eye("Left", 1.0)
	eye_right = _eye("Right", -1.0)


func _eye(side: String, outward: float) -> Quaternion:
	var out: float = EYE_OUT * weights["eyeLookOut" + side] - EYE_IN * weights["eyeLookIn" + side]
	var down: float = (
		EYE_DOWN * weights["eyeLookDown" + side] - EYE_UP * weights["eyeLookUp" + side]
	)
	return turn(deg_to_rad(outward * out), deg_to_rad(down))


## Ry(yaw) Rx(pitch) Rz(roll), in radians: yaw to the subject's left, pitch down, roll
## counter-clockwise as the face's viewer sees it.
static func turn(yaw: float, pitch: float, roll := 0.0) -> Quaternion:
	return (
		Quaternion(Vector3.UP, yaw)
		* Quaternion(Vector3.RIGHT, pitch)
		* Quaternion(Vector3.BACK, roll)
	)
