class_name MfnStream
extends Node
## Sends pictures to the service by WebSocket and receives the faces in them.
##
## Where the pictures come from is yours: a camera's texture, a video, a viewport. Give each to
## send(). For a camera that the service's machine has, MfnLiveLink and `mfn watch` are simpler.

## A face of an answer has come.
signal face_received(face: MfnFaceData)
## A picture was answered; these are its faces.
signal answered(faces: Array[MfnFaceData])
## A picture, or the stream as a whole, was refused.
signal refused(problem: String)

const RETRY_SECONDS := 1.0
const BUFFER_BYTES := 8 * 1024 * 1024
const NORMAL_CLOSURE := 1000

## The service's address.
@export var url := "ws://localhost:8000/retarget/stream"
## An API key, where the service asks for one.
@export var key := ""
## 0 to 1, of the JPEG files that are sent.
@export_range(0.1, 1.0) var jpeg_quality := 0.85
## Seconds without an answer, after which it connects anew: a cable that is pulled tells nothing.
@export var longest_silence := 10.0
## Everybody's resting face: a file that `mfn capture` has written, such as person-1.neutral.json.
## None: expressions are as seen. It takes effect with the next connection.
@export var neutral: JSON

var _socket := WebSocketPeer.new()
var _configured := false
var _waiting := false
var _closed_for := RETRY_SECONDS
var _silent_for := 0.0


func _ready() -> void:
	_prepare()


func _process(delta: float) -> void:
	_socket.poll()
	match _socket.get_ready_state():
		WebSocketPeer.STATE_OPEN:
			if not _configured:
				_configure()
			_silent_for = _silent_for + delta if _waiting else 0.0
			while _socket.get_available_packet_count() > 0:
				_silent_for = 0.0
				_read(_socket.get_packet().get_string_from_utf8())
			if _silent_for > longest_silence:
				refused.emit("%s: no answer for %s s" % [url, longest_silence])
				_socket = WebSocketPeer.new()
				_prepare()
		WebSocketPeer.STATE_CLOSED:
			_silent_for = 0.0
			_configured = false
			_waiting = false
			_closed_for += delta
			if _closed_for >= RETRY_SECONDS:
				_closed_for = 0.0
				var error := _socket.connect_to_url(url)
				if error != OK:
					refused.emit("%s: %s" % [url, error_string(error)])


func _exit_tree() -> void:
	_socket.close(NORMAL_CLOSURE)


## Whether a picture would be sent: the stream is open, and the one before has been answered.
func is_idle() -> bool:
	return _configured and not _waiting


## Sends a picture; returns whether it was. One that comes while another is looked at is dropped.
func send(picture: Image) -> bool:
	if not is_idle() or picture.is_empty():
		return false
	_waiting = _socket.send(picture.save_jpg_to_buffer(jpeg_quality)) == OK
	return _waiting


func _prepare() -> void:
	_socket.inbound_buffer_size = BUFFER_BYTES
	_socket.outbound_buffer_size = BUFFER_BYTES


func _configure() -> void:
	var configuration := {
		"refine": true,
		"follow": true,
		"smoothing": {},
		"include": ["blendshapes"],
		"exclude": ["identity"],
		"key": key,
	}
	if neutral:
		configuration["neutral"] = _resting_face()
	_configured = _socket.send_text(JSON.stringify(configuration)) == OK


func _resting_face() -> Variant:
	if neutral.data is Dictionary and neutral.data.get("neutral") is Dictionary:
		return neutral.data["neutral"]
	refused.emit("neutral holds no resting face; give a file of mfn capture")
	return null


func _read(text: String) -> void:
	var message: Variant = JSON.parse_string(text)
	if not message is Dictionary:
		return
	if message.has("sequence") or message.has("problem"):
		_waiting = false
	if message.get("problem") is Dictionary:
		var problem: Dictionary = message["problem"]
		refused.emit("%s: %s" % [problem.get("title"), problem.get("detail")])
	elif message.has("faces"):
		var faces: Array[MfnFaceData] = []
		for found: Dictionary in message["faces"]:
			faces.append(read_face(found))
		for face in faces:
			face_received.emit(face)
		answered.emit(faces)


## Reads a face of an answer.
static func read_face(found: Dictionary) -> MfnFaceData:
	var face := MfnFaceData.new()
	var turn: Array = found["pose"]["quaternion"]
	face.subject = "mfn-%d" % found["track_id"]
	face.weights = found["blendshapes"]
	face.head = Quaternion(turn[0], turn[1], turn[2], turn[3])
	if found.has("gaze"):
		face.look_by_weights()
	return face
