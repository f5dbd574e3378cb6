class_name MfnLiveLink
extends Node
## Receives faces by UDP, as `mfn watch 0 --livelink HOST` and Epic's app Live Link Face send them.
##
## Each datagram is a whole face with its subject's name, so that several persons and several
## senders may share a port.

## A face has come.
signal face_received(face: MfnFaceData)

const VERSION := 6
const LONGEST_NAME := 256
const ANGLES := 9
## Bytes from the end of the subject's name to the first value: time code, and how many values.
const TIME_AND_COUNT := 17

## 127.0.0.1 hears this machine; * hears others, too.
@export var address := "127.0.0.1"
@export var port := 11111

var _socket := PacketPeerUDP.new()


func _ready() -> void:
	var error := _socket.bind(port, address)
	if error != OK:
		push_error("MFN: UDP port %d of %s: %s" % [port, address, error_string(error)])


func _process(_delta: float) -> void:
	while _socket.is_bound() and _socket.get_available_packet_count() > 0:
		var face := read(_socket.get_packet())
		if face:
			face_received.emit(face)


func _exit_tree() -> void:
	_socket.close()


## Reads a datagram; null for anything but a face.
static func read(datagram: PackedByteArray) -> MfnFaceData:
	var bytes := StreamPeerBuffer.new()
	bytes.big_endian = true
	bytes.data_array = datagram
	if bytes.get_size() < 1 or bytes.get_u8() != VERSION:
		return null
	_read_name(bytes)  # the device
	var face := MfnFaceData.new()
	face.subject = _read_name(bytes)
	var values := MfnArkit.SHAPES.size() + ANGLES
	if bytes.get_size() - bytes.get_position() != TIME_AND_COUNT + 4 * values:
		return null
	bytes.seek(bytes.get_position() + TIME_AND_COUNT - 1)
	if bytes.get_u8() != values:
		return null
	for shape in MfnArkit.SHAPES:
		face.weights[shape] = bytes.get_float()
	var angles := PackedFloat32Array()
	for i in ANGLES:
		angles.append(bytes.get_float())
	for number: float in face.weights.values() + Array(angles):
		if not is_finite(number):
			return null
	# The head's pitch is > 0 up. The eyes' yaw is > 0 to the subject's right, their pitch down.
	face.head = MfnFaceData.turn(angles[0], -angles[1], angles[2])
	face.eye_left = MfnFaceData.turn(-angles[3], angles[4])
	face.eye_right = MfnFaceData.turn(-angles[6], angles[7])
	return face


static func _read_name(bytes: StreamPeerBuffer) -> String:
	if bytes.get_size() - bytes.get_position() < 4:
		return ""
	var length := bytes.get_32()
	if length < 0 or length > mini(LONGEST_NAME, bytes.get_size() - bytes.get_position()):
		bytes.seek(bytes.get_size())
		return ""
	return bytes.get_utf8_string(length) if length else ""
