using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Mfn
{
    public enum StreamState
    {
        /// <summary>At first, and again after a loss.</summary>
        Connecting,

        /// <summary>Frames are taken.</summary>
        Open,

        /// <summary>After Dispose, or a failure that trying again does not mend.</summary>
        Closed,
    }

    public enum Calibration
    {
        /// <summary>Take the next second as each person's resting face, which is subtracted from then on.</summary>
        TakeNeutral,

        /// <summary>Forget it.</summary>
        Reset,
    }

    /// <summary>Finds the faces of a stream of frames. It connects again after a loss, until it is disposed
    /// of.</summary>
    /// <remarks>Nothing waits in it: a frame is sent at once, or not at all. All members may be used from all threads;
    /// events are raised on the context that the stream was made on, as Unity's main thread, else on the thread pool.
    /// </remarks>
    public sealed class RetargetStream : IDisposable
    {
        private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.25); // twice as long after each loss
        private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
        private static readonly Stopwatch Clock = Stopwatch.StartNew();

        private readonly StreamOptions _options;
        private readonly CallerContext _caller = new CallerContext();
        private readonly CancellationTokenSource _disposing = new CancellationTokenSource();
        private readonly Random _random = new Random();

        private readonly object _gate = new object(); // guards what follows
        private bool _begun;
        private Connection _connection;
        private StreamState _state = StreamState.Connecting;
        private MfnException _error;
        private Model _model;
        private int _rotation;
        private List<TaskCompletionSource<bool>> _waiting = new List<TaskCompletionSource<bool>>(); // for a change
        private int _losses; // connections since the last answer
        private long _sequence; // of the last frame that was sent
        private long _microseconds = long.MinValue; // its timestamp
        private int _dropped;
        private bool _fresh; // the connection has replaced another, and answered nothing yet
        private int _lastTrack; // greatest TrackId that was told
        private int _firstTrack; // what is added to this connection's own

        /// <summary>Throws ArgumentException where an option makes no sense. Connects nowhere yet: set the handlers of
        /// events, then call Open.</summary>
        public RetargetStream(StreamOptions options)
        {
            options.Check();
            _options = options.Copy();
            _rotation = options.Rotation;
        }

        /// <summary>The state has changed.</summary>
        public event Action<StreamState> StateChanged;

        /// <summary>A connection has failed or ended: the stream is Connecting again, or Closed where trying again does
        /// not help. Problems of single frames are thrown by SendAsync.</summary>
        public event Action<MfnException> Failed;

        public StreamState State
        {
            get { lock (_gate) return _state; }
        }

        /// <summary>Why the stream has closed by itself; null where it has not.</summary>
        public MfnException Error
        {
            get { lock (_gate) return _error; }
        }

        /// <summary>The model that answers; null before the stream is open for the first time.</summary>
        public Model Model
        {
            get { lock (_gate) return _model; }
        }

        /// <summary>Frames that SendAsync was given in vain: none was taken then, or they were lost with a connection.
        /// </summary>
        public int Dropped
        {
            get { lock (_gate) return _dropped; }
        }

        /// <summary>Whether SendAsync would take a frame now. Ask before you encode one.</summary>
        public bool Ready
        {
            get { lock (_gate) return IsReady(); }
        }

        /// <summary>Begins to connect.</summary>
        public void Open()
        {
            lock (_gate)
            {
                if (_disposing.IsCancellationRequested) throw new ObjectDisposedException(nameof(RetargetStream));
                if (_begun) return;
                _begun = true;
            }
            _ = RunAsync();
        }

        /// <summary>Waits until SendAsync would take a frame. Throws the stream's error where it closes.</summary>
        public async Task WhenReadyAsync(CancellationToken cancellation = default)
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                var change = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                lock (_gate)
                {
                    if (IsReady()) return;
                    CheckOpen();
                    _waiting.Add(change);
                }
                using (cancellation.Register(() => change.TrySetResult(false)))
                    await change.Task.ConfigureAwait(false);
            }
        }

        /// <summary>Sends a frame and returns its answer; null where the frame is dropped: the stream was not ready, or
        /// the connection is lost on the way. Throws ProblemException where this frame cannot be looked at, after which
        /// the stream goes on, and the stream's error where it is closed.</summary>
        /// <param name="picture">The bytes of a JPEG, PNG, WebP or AVIF file.</param>
        /// <param name="capturedAt">When it was captured, on any clock of yours, always the same; by default when it is
        /// sent. Times have to rise; where they jump by more than a second, tracks begin anew.</param>
        public async Task<FrameAnswer> SendAsync(byte[] picture, TimeSpan? capturedAt = null)
        {
            if (picture == null) throw new ArgumentNullException(nameof(picture));
            var sentAt = Clock.Elapsed;
            Task<FrameAnswer> sending;
            int firstTrack;
            lock (_gate)
            {
                CheckOpen();
                if (!IsReady()) return Drop();
                firstTrack = _firstTrack;
                _microseconds = capturedAt is TimeSpan time
                    ? Microseconds.Of(time)
                    : Math.Max(Microseconds.Of(sentAt), _microseconds + 1); // clocks may stand still
                sending = _connection.SendAsync(++_sequence, _microseconds, picture);
            }
            var answer = await sending.ConfigureAwait(false);
            lock (_gate)
            {
                if (answer == null) return Drop();
                _losses = 0;
                Continue(answer, firstTrack);
                answer.RoundTrip = Clock.Elapsed - sentAt;
                return answer;
            }
        }

        /// <summary>Changes the neutral faces. Returns whether the service is told: not while the stream is connecting;
        /// and another connection knows nothing of it, but begins with StreamOptions.Neutral again.</summary>
        public bool Calibrate(Calibration calibration)
        {
            lock (_gate)
            {
                if (_state != StreamState.Open) return false;
                var name = calibration == Calibration.TakeNeutral ? "take_neutral" : "reset";
                _connection.Tell("{\"calibration\":\"" + name + "\"}");
                return true;
            }
        }

        /// <summary>Says by how many degrees the next frames have to be turned clockwise to be upright: 0, 90, 180 or
        /// 270.</summary>
        public void Rotate(int degrees)
        {
            StreamOptions.CheckRotation(degrees);
            lock (_gate)
            {
                if (_rotation == degrees) return;
                _rotation = degrees;
                if (_state == StreamState.Open) TellRotation();
            }
        }

        /// <summary>Closes the stream; frames on their way are dropped.</summary>
        public void Dispose()
        {
            lock (_gate)
            {
                if (_disposing.IsCancellationRequested) return;
                _disposing.Cancel();
                _connection?.Close();
                _connection = null;
                Become(StreamState.Closed);
            }
        }

        /// <summary>Goes from connection to connection.</summary>
        private async Task RunAsync()
        {
            while (true)
            {
                Connection connection;
                int rotation;
                lock (_gate)
                {
                    if (_state == StreamState.Closed) return;
                    rotation = _rotation;
                    connection = new Connection(_options.StreamAddress(), _options.Timeout, Changed);
                    _connection = connection;
                }
                var ending = await connection
                    .RunAsync(_options.Configuration(rotation), model => Opened(connection, model, rotation))
                    .ConfigureAwait(false);
                TimeSpan pause;
                lock (_gate)
                {
                    if (_state == StreamState.Closed) return;
                    _connection = null;
                    var again = ending.Transient && _options.Reconnect;
                    if (!again) _error = ending.Error;
                    Become(again ? StreamState.Connecting : StreamState.Closed);
                    if (ending.Error != null) _caller.Post(() => Failed?.Invoke(ending.Error));
                    if (!again) return;
                    pause = NextPause();
                }
                try
                {
                    await Task.Delay(pause, _disposing.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }

        private TimeSpan NextPause()
        {
            var longest = Math.Min(FirstPause.TotalSeconds * Math.Pow(2, _losses), LongestPause.TotalSeconds);
            _losses += 1;
            // at random, so that clients that a server loses together do not come back together
            return TimeSpan.FromSeconds(longest * (0.5 + 0.5 * _random.NextDouble()));
        }

        /// <summary>told: the rotation that the connection was configured with.</summary>
        private void Opened(Connection connection, Model model, int told)
        {
            lock (_gate)
            {
                if (_connection != connection) return; // it has ended since
                _fresh = _model != null;
                _firstTrack = _lastTrack;
                _model = model;
                if (_rotation != told) TellRotation();
                Become(StreamState.Open);
            }
        }

        private void TellRotation() => _connection.Tell("{\"rotation\":" + StreamOptions.Text(_rotation) + "}");

        private void Become(StreamState state)
        {
            if (_state != state) _caller.Post(() => StateChanged?.Invoke(state));
            _state = state;
            Changed();
        }

        /// <summary>Lets those look again who wait for the stream to be ready.</summary>
        private void Changed()
        {
            List<TaskCompletionSource<bool>> waiting;
            lock (_gate)
            {
                waiting = _waiting;
                _waiting = new List<TaskCompletionSource<bool>>();
            }
            foreach (var change in waiting) change.TrySetResult(true);
        }

        private bool IsReady() =>
            _state == StreamState.Open && _connection != null && _connection.HasRoom(_options.InFlight);

        private void CheckOpen()
        {
            if (_state != StreamState.Closed) return;
            if (_error != null) throw _error;
            throw new ObjectDisposedException(nameof(RetargetStream), "The stream is closed.");
        }

        private FrameAnswer Drop()
        {
            _dropped += 1;
            return null;
        }

        /// <summary>Makes an answer of a connection one of the stream. firstTrack: what is added to the connection's
        /// tracks.</summary>
        private void Continue(FrameAnswer answer, int firstTrack)
        {
            foreach (var face in answer.Faces)
            {
                face.TrackId += firstTrack;
                _lastTrack = Math.Max(_lastTrack, face.TrackId);
            }
            answer.Restarted |= _fresh;
            _fresh = false;
            answer.Dropped = _dropped;
        }
    }
}
