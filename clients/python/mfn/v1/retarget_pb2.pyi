from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PixelFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PIXEL_FORMAT_UNSPECIFIED: _ClassVar[PixelFormat]
    PIXEL_FORMAT_RGB: _ClassVar[PixelFormat]
    PIXEL_FORMAT_RGBA: _ClassVar[PixelFormat]
    PIXEL_FORMAT_BGRA: _ClassVar[PixelFormat]
    PIXEL_FORMAT_NV12: _ClassVar[PixelFormat]
    PIXEL_FORMAT_I420: _ClassVar[PixelFormat]
    PIXEL_FORMAT_BGR: _ClassVar[PixelFormat]
    PIXEL_FORMAT_GRAY8: _ClassVar[PixelFormat]
    PIXEL_FORMAT_NV21: _ClassVar[PixelFormat]
    PIXEL_FORMAT_YUY2: _ClassVar[PixelFormat]

class ColorMatrix(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLOR_MATRIX_UNSPECIFIED: _ClassVar[ColorMatrix]
    COLOR_MATRIX_BT601: _ClassVar[ColorMatrix]
    COLOR_MATRIX_BT709: _ClassVar[ColorMatrix]

class ColorRange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLOR_RANGE_UNSPECIFIED: _ClassVar[ColorRange]
    COLOR_RANGE_LIMITED: _ClassVar[ColorRange]
    COLOR_RANGE_FULL: _ClassVar[ColorRange]

class DropPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DROP_POLICY_UNSPECIFIED: _ClassVar[DropPolicy]
    DROP_POLICY_LATEST: _ClassVar[DropPolicy]
    DROP_POLICY_NONE: _ClassVar[DropPolicy]

class Calibration(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALIBRATION_UNSPECIFIED: _ClassVar[Calibration]
    CALIBRATION_TAKE_NEUTRAL: _ClassVar[Calibration]
    CALIBRATION_RESET: _ClassVar[Calibration]

class NeutralState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NEUTRAL_STATE_UNSPECIFIED: _ClassVar[NeutralState]
    NEUTRAL_STATE_OFF: _ClassVar[NeutralState]
    NEUTRAL_STATE_COLLECTING: _ClassVar[NeutralState]
    NEUTRAL_STATE_ON: _ClassVar[NeutralState]
PIXEL_FORMAT_UNSPECIFIED: PixelFormat
PIXEL_FORMAT_RGB: PixelFormat
PIXEL_FORMAT_RGBA: PixelFormat
PIXEL_FORMAT_BGRA: PixelFormat
PIXEL_FORMAT_NV12: PixelFormat
PIXEL_FORMAT_I420: PixelFormat
PIXEL_FORMAT_BGR: PixelFormat
PIXEL_FORMAT_GRAY8: PixelFormat
PIXEL_FORMAT_NV21: PixelFormat
PIXEL_FORMAT_YUY2: PixelFormat
COLOR_MATRIX_UNSPECIFIED: ColorMatrix
COLOR_MATRIX_BT601: ColorMatrix
COLOR_MATRIX_BT709: ColorMatrix
COLOR_RANGE_UNSPECIFIED: ColorRange
COLOR_RANGE_LIMITED: ColorRange
COLOR_RANGE_FULL: ColorRange
DROP_POLICY_UNSPECIFIED: DropPolicy
DROP_POLICY_LATEST: DropPolicy
DROP_POLICY_NONE: DropPolicy
CALIBRATION_UNSPECIFIED: Calibration
CALIBRATION_TAKE_NEUTRAL: Calibration
CALIBRATION_RESET: Calibration
NEUTRAL_STATE_UNSPECIFIED: NeutralState
NEUTRAL_STATE_OFF: NeutralState
NEUTRAL_STATE_COLLECTING: NeutralState
NEUTRAL_STATE_ON: NeutralState

class RawPixels(_message.Message):
    __slots__ = ("format", "width", "height", "stride", "data", "planes", "color_matrix", "color_range", "bottom_up")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    PLANES_FIELD_NUMBER: _ClassVar[int]
    COLOR_MATRIX_FIELD_NUMBER: _ClassVar[int]
    COLOR_RANGE_FIELD_NUMBER: _ClassVar[int]
    BOTTOM_UP_FIELD_NUMBER: _ClassVar[int]
    format: PixelFormat
    width: int
    height: int
    stride: int
    data: bytes
    planes: _containers.RepeatedCompositeFieldContainer[Plane]
    color_matrix: ColorMatrix
    color_range: ColorRange
    bottom_up: bool
    def __init__(self, format: _Optional[_Union[PixelFormat, str]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., stride: _Optional[int] = ..., data: _Optional[bytes] = ..., planes: _Optional[_Iterable[_Union[Plane, _Mapping]]] = ..., color_matrix: _Optional[_Union[ColorMatrix, str]] = ..., color_range: _Optional[_Union[ColorRange, str]] = ..., bottom_up: bool = ...) -> None: ...

class Plane(_message.Message):
    __slots__ = ("offset", "stride")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    offset: int
    stride: int
    def __init__(self, offset: _Optional[int] = ..., stride: _Optional[int] = ...) -> None: ...

class Image(_message.Message):
    __slots__ = ("encoded", "raw", "rotation")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    raw: RawPixels
    rotation: int
    def __init__(self, encoded: _Optional[bytes] = ..., raw: _Optional[_Union[RawPixels, _Mapping]] = ..., rotation: _Optional[int] = ...) -> None: ...

class Options(_message.Message):
    __slots__ = ("min_score", "max_faces", "refine", "include_landmarks", "include_blendshapes", "exclude_identity", "tiles", "input_size")
    MIN_SCORE_FIELD_NUMBER: _ClassVar[int]
    MAX_FACES_FIELD_NUMBER: _ClassVar[int]
    REFINE_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_BLENDSHAPES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    TILES_FIELD_NUMBER: _ClassVar[int]
    INPUT_SIZE_FIELD_NUMBER: _ClassVar[int]
    min_score: float
    max_faces: int
    refine: bool
    include_landmarks: bool
    include_blendshapes: bool
    exclude_identity: bool
    tiles: int
    input_size: int
    def __init__(self, min_score: _Optional[float] = ..., max_faces: _Optional[int] = ..., refine: bool = ..., include_landmarks: bool = ..., include_blendshapes: bool = ..., exclude_identity: bool = ..., tiles: _Optional[int] = ..., input_size: _Optional[int] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "version", "expression_names", "arkit_names", "unobserved_arkit", "sha256", "precision", "gaze_names")
    class Sha256Entry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_NAMES_FIELD_NUMBER: _ClassVar[int]
    ARKIT_NAMES_FIELD_NUMBER: _ClassVar[int]
    UNOBSERVED_ARKIT_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    GAZE_NAMES_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    expression_names: _containers.RepeatedScalarFieldContainer[str]
    arkit_names: _containers.RepeatedScalarFieldContainer[str]
    unobserved_arkit: _containers.RepeatedScalarFieldContainer[str]
    sha256: _containers.ScalarMap[str, str]
    precision: str
    gaze_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., expression_names: _Optional[_Iterable[str]] = ..., arkit_names: _Optional[_Iterable[str]] = ..., unobserved_arkit: _Optional[_Iterable[str]] = ..., sha256: _Optional[_Mapping[str, str]] = ..., precision: _Optional[str] = ..., gaze_names: _Optional[_Iterable[str]] = ...) -> None: ...

class RetargetRequest(_message.Message):
    __slots__ = ("image", "options")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    image: Image
    options: Options
    def __init__(self, image: _Optional[_Union[Image, _Mapping]] = ..., options: _Optional[_Union[Options, _Mapping]] = ...) -> None: ...

class RetargetResponse(_message.Message):
    __slots__ = ("width", "height", "faces", "timing", "model_version", "unobserved_arkit")
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    UNOBSERVED_ARKIT_FIELD_NUMBER: _ClassVar[int]
    width: int
    height: int
    faces: _containers.RepeatedCompositeFieldContainer[Face]
    timing: Timing
    model_version: str
    unobserved_arkit: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, width: _Optional[int] = ..., height: _Optional[int] = ..., faces: _Optional[_Iterable[_Union[Face, _Mapping]]] = ..., timing: _Optional[_Union[Timing, _Mapping]] = ..., model_version: _Optional[str] = ..., unobserved_arkit: _Optional[_Iterable[str]] = ...) -> None: ...

class RetargetStreamRequest(_message.Message):
    __slots__ = ("config", "frame", "calibration")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    config: StreamConfig
    frame: Frame
    calibration: Calibration
    def __init__(self, config: _Optional[_Union[StreamConfig, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., calibration: _Optional[_Union[Calibration, str]] = ...) -> None: ...

class StreamConfig(_message.Message):
    __slots__ = ("options", "drop_policy", "smoothing", "follow", "detect_every", "neutral")
    class NeutralEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    DROP_POLICY_FIELD_NUMBER: _ClassVar[int]
    SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    DETECT_EVERY_FIELD_NUMBER: _ClassVar[int]
    NEUTRAL_FIELD_NUMBER: _ClassVar[int]
    options: Options
    drop_policy: DropPolicy
    smoothing: Smoothing
    follow: bool
    detect_every: int
    neutral: _containers.ScalarMap[str, float]
    def __init__(self, options: _Optional[_Union[Options, _Mapping]] = ..., drop_policy: _Optional[_Union[DropPolicy, str]] = ..., smoothing: _Optional[_Union[Smoothing, _Mapping]] = ..., follow: bool = ..., detect_every: _Optional[int] = ..., neutral: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Smoothing(_message.Message):
    __slots__ = ("min_cutoff", "beta")
    MIN_CUTOFF_FIELD_NUMBER: _ClassVar[int]
    BETA_FIELD_NUMBER: _ClassVar[int]
    min_cutoff: float
    beta: float
    def __init__(self, min_cutoff: _Optional[float] = ..., beta: _Optional[float] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("sequence", "timestamp_us", "image")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_US_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    timestamp_us: int
    image: Image
    def __init__(self, sequence: _Optional[int] = ..., timestamp_us: _Optional[int] = ..., image: _Optional[_Union[Image, _Mapping]] = ...) -> None: ...

class RetargetStreamResponse(_message.Message):
    __slots__ = ("model", "answer")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    model: Model
    answer: FrameAnswer
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ..., answer: _Optional[_Union[FrameAnswer, _Mapping]] = ...) -> None: ...

class FrameAnswer(_message.Message):
    __slots__ = ("sequence", "timestamp_us", "width", "height", "faces", "dropped", "timing", "problem", "unobserved_arkit", "restarted")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_US_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    UNOBSERVED_ARKIT_FIELD_NUMBER: _ClassVar[int]
    RESTARTED_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    timestamp_us: int
    width: int
    height: int
    faces: _containers.RepeatedCompositeFieldContainer[Face]
    dropped: int
    timing: Timing
    problem: Problem
    unobserved_arkit: _containers.RepeatedScalarFieldContainer[str]
    restarted: bool
    def __init__(self, sequence: _Optional[int] = ..., timestamp_us: _Optional[int] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., faces: _Optional[_Iterable[_Union[Face, _Mapping]]] = ..., dropped: _Optional[int] = ..., timing: _Optional[_Union[Timing, _Mapping]] = ..., problem: _Optional[_Union[Problem, _Mapping]] = ..., unobserved_arkit: _Optional[_Iterable[str]] = ..., restarted: bool = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("name", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    detail: str
    def __init__(self, name: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class Face(_message.Message):
    __slots__ = ("score", "box", "pose", "identity", "expression", "landmarks", "blendshapes", "track_id", "neutral", "gaze")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    POSE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    BLENDSHAPES_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    NEUTRAL_FIELD_NUMBER: _ClassVar[int]
    GAZE_FIELD_NUMBER: _ClassVar[int]
    score: float
    box: Box
    pose: Pose
    identity: _containers.RepeatedScalarFieldContainer[float]
    expression: _containers.RepeatedScalarFieldContainer[float]
    landmarks: _containers.RepeatedScalarFieldContainer[float]
    blendshapes: _containers.RepeatedScalarFieldContainer[float]
    track_id: int
    neutral: NeutralState
    gaze: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, score: _Optional[float] = ..., box: _Optional[_Union[Box, _Mapping]] = ..., pose: _Optional[_Union[Pose, _Mapping]] = ..., identity: _Optional[_Iterable[float]] = ..., expression: _Optional[_Iterable[float]] = ..., landmarks: _Optional[_Iterable[float]] = ..., blendshapes: _Optional[_Iterable[float]] = ..., track_id: _Optional[int] = ..., neutral: _Optional[_Union[NeutralState, str]] = ..., gaze: _Optional[_Iterable[float]] = ...) -> None: ...

class Box(_message.Message):
    __slots__ = ("x", "y", "width", "height")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    width: float
    height: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., width: _Optional[float] = ..., height: _Optional[float] = ...) -> None: ...

class Pose(_message.Message):
    __slots__ = ("quaternion", "yaw", "pitch", "roll", "translation", "scale")
    QUATERNION_FIELD_NUMBER: _ClassVar[int]
    YAW_FIELD_NUMBER: _ClassVar[int]
    PITCH_FIELD_NUMBER: _ClassVar[int]
    ROLL_FIELD_NUMBER: _ClassVar[int]
    TRANSLATION_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    quaternion: Quaternion
    yaw: float
    pitch: float
    roll: float
    translation: Translation
    scale: float
    def __init__(self, quaternion: _Optional[_Union[Quaternion, _Mapping]] = ..., yaw: _Optional[float] = ..., pitch: _Optional[float] = ..., roll: _Optional[float] = ..., translation: _Optional[_Union[Translation, _Mapping]] = ..., scale: _Optional[float] = ...) -> None: ...

class Quaternion(_message.Message):
    __slots__ = ("x", "y", "z", "w")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    Z_FIELD_NUMBER: _ClassVar[int]
    W_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    z: float
    w: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., z: _Optional[float] = ..., w: _Optional[float] = ...) -> None: ...

class Translation(_message.Message):
    __slots__ = ("x", "y", "z")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    Z_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    z: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., z: _Optional[float] = ...) -> None: ...

class Timing(_message.Message):
    __slots__ = ("decode", "preprocess", "queue", "inference", "refine", "postprocess", "track")
    DECODE_FIELD_NUMBER: _ClassVar[int]
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    INFERENCE_FIELD_NUMBER: _ClassVar[int]
    REFINE_FIELD_NUMBER: _ClassVar[int]
    POSTPROCESS_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    decode: float
    preprocess: float
    queue: float
    inference: float
    refine: float
    postprocess: float
    track: float
    def __init__(self, decode: _Optional[float] = ..., preprocess: _Optional[float] = ..., queue: _Optional[float] = ..., inference: _Optional[float] = ..., refine: _Optional[float] = ..., postprocess: _Optional[float] = ..., track: _Optional[float] = ...) -> None: ...
