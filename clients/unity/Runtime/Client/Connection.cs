using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Mfn
{
    /// <summary>One connection of a stream, from the opening of a WebSocket to its end.</summary>
    internal sealed class Connection
    {
        private const int StampBytes = 16; // uint64 sequence, int64 microseconds, both little-endian
        private const int ReceivedBytes = 16384; // at a time
        private const int LargestMessage = 16 * 1024 * 1024; // bytes; an answer of a hundred faces has one million

        // Problems that end a stream and that pass by themselves.
        private static readonly string[] Transient =
            { "overloaded", "unavailable", "no-memory", "deadline-passed", "internal" };

        // Close codes, RFC 6455 section 7.4.1, after which the same messages would fail again: protocol error,
        // unsupported data, invalid data, policy violation, message too big.
        private static readonly int[] Permanent = { 1002, 1003, 1007, 1008, 1009 };

        private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(1);

        private readonly Uri _address;
        private readonly TimeSpan _timeout;
        private readonly Action _settled;
        private readonly ClientWebSocket _socket = new ClientWebSocket();
        private readonly Timer _timer;
        private readonly TaskCompletionSource<Ending> _ending =
            new TaskCompletionSource<Ending>(TaskCreationOptions.RunContinuationsAsynchronously);

        private readonly object _gate = new object(); // guards what follows
        private readonly Dictionary<long, TaskCompletionSource<FrameAnswer>> _pending =
            new Dictionary<long, TaskCompletionSource<FrameAnswer>>(); // by sequence
        private Task _sent = Task.CompletedTask; // the last message: a socket sends one at a time
        private bool _open; // from the model's message on

        /// <summary>timeout: to open in, and of silence while a frame waits for its answer. settled: called when a
        /// frame was answered or has left, so that there may be room for another.</summary>
        public Connection(Uri address, TimeSpan timeout, Action settled)
        {
            _address = address;
            _timeout = timeout;
            _settled = settled;
            _timer = new Timer(_ => GiveUp());
        }

        /// <summary>Whether a frame sent now would leave at once: fewer than most wait for their answers, and the last
        /// message has left.</summary>
        public bool HasRoom(int most)
        {
            lock (_gate) return _open && _pending.Count < most && _sent.IsCompleted;
        }

        /// <summary>Opens the connection and receives until it ends. Frames that are on their way then are lost, or
        /// fail with the connection's problem where another connection would not help. opened: called once at
        /// most.</summary>
        public async Task<Ending> RunAsync(string configuration, Action<Model> opened)
        {
            lock (_gate) Watch();
            var receiving = Task.Run(() => ReceiveAsync(configuration, opened)); // looking a host up may block
            var ending = await _ending.Task.ConfigureAwait(false);
            List<TaskCompletionSource<FrameAnswer>> lost;
            lock (_gate)
            {
                _open = false;
                lost = _pending.Values.ToList();
                _pending.Clear();
                _timer.Dispose();
            }
            _ = FarewellAsync(receiving);
            foreach (var frame in lost)
            {
                if (ending.Transient || ending.Error == null) frame.TrySetResult(null);
                else frame.TrySetException(ending.Error);
            }
            return ending;
        }

        /// <summary>Ends the connection without an error.</summary>
        public void Close() => _ending.TrySetResult(new Ending(null, false));

        /// <summary>Sends a frame. Returns its answer; null where it is lost with the connection. Throws the frame's
        /// problem, or the connection's.</summary>
        public Task<FrameAnswer> SendAsync(long sequence, long microseconds, byte[] picture)
        {
            var answered = new TaskCompletionSource<FrameAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                if (!_open) return Task.FromResult<FrameAnswer>(null);
                _pending.Add(sequence, answered);
                if (_pending.Count == 1) Watch();
                Send(Stamped(sequence, microseconds, picture), WebSocketMessageType.Binary);
            }
            return answered.Task;
        }

        /// <summary>Sends a text.</summary>
        public void Tell(string text)
        {
            lock (_gate) Send(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);
        }

        private async Task ReceiveAsync(string configuration, Action<Model> opened)
        {
            try
            {
                await _socket.ConnectAsync(_address, CancellationToken.None).ConfigureAwait(false);
                Tell(configuration);
                var buffer = new ArraySegment<byte>(new byte[ReceivedBytes]);
                var message = new MemoryStream();
                while (!_ending.Task.IsCompleted)
                {
                    var part = await _socket.ReceiveAsync(buffer, CancellationToken.None).ConfigureAwait(false);
                    if (part.MessageType == WebSocketMessageType.Close)
                    {
                        Lost((int?)part.CloseStatus, null);
                        return;
                    }
                    message.Write(buffer.Array, 0, part.Count);
                    if (message.Length > LargestMessage) throw new FormatException("The message is too large.");
                    if (!part.EndOfMessage) continue;
                    Receive(Encoding.UTF8.GetString(message.GetBuffer(), 0, (int)message.Length), opened);
                    message.SetLength(0);
                }
            }
            catch (FormatException cause)
            {
                var error = new ConnectionException($"What answers at {_address} is not this service.", cause);
                _ending.TrySetResult(new Ending(error, false));
            }
            catch (Exception cause) // of the socket: .NET's platforms throw many kinds
            {
                Lost(null, cause);
            }
        }

        private void Receive(string text, Action<Model> opened)
        {
            var message = ServiceMessage.Read(text);
            if (message.Sequence is long sequence)
            {
                TaskCompletionSource<FrameAnswer> frame;
                lock (_gate)
                {
                    if (_pending.TryGetValue(sequence, out frame)) _pending.Remove(sequence);
                    Watch();
                }
                if (message.Answer != null) frame?.TrySetResult(message.Answer);
                else frame?.TrySetException(new ProblemException(message.Problem));
                _settled();
            }
            else if (message.Model != null)
            {
                lock (_gate)
                {
                    if (_ending.Task.IsCompleted) return;
                    _open = true;
                    Watch();
                }
                opened(message.Model);
            }
            else
            {
                var error = new ProblemException(message.Problem);
                bool idle;
                lock (_gate) idle = _pending.Count == 0;
                var silent = idle && error.Kind == "deadline-passed"; // a stream without frames was closed
                _ending.TrySetResult(new Ending(silent ? null : error, Transient.Contains(error.Kind)));
            }
        }

        /// <summary>Within the gate: sends a message after those before it.</summary>
        private void Send(byte[] message, WebSocketMessageType type)
        {
            _sent = SendAfterAsync(_sent, message, type);
            _sent.ContinueWith(_ => _settled(), TaskScheduler.Default);
        }

        private async Task SendAfterAsync(Task before, byte[] message, WebSocketMessageType type)
        {
            try
            {
                await before.ConfigureAwait(false);
                var all = new ArraySegment<byte>(message);
                // masking a frame takes a while, which is not to be the caller's
                await Task.Run(() => _socket.SendAsync(all, type, true, CancellationToken.None)).ConfigureAwait(false);
            }
            catch (Exception cause)
            {
                Lost(null, cause);
            }
        }

        private void Lost(int? code, Exception cause)
        {
            bool open;
            lock (_gate) open = _open;
            var sentence = !open
                ? $"There is no connection to {_address}. " +
                  "Check that the service runs, and that it can be reached there."
                : code != null
                    ? $"The connection to {_address} was lost, with code {code}."
                    : $"The connection to {_address} was lost.";
            var permanent = code != null && Permanent.Contains(code.Value);
            _ending.TrySetResult(new Ending(new ConnectionException(sentence, cause), !permanent));
        }

        /// <summary>Within the gate: gives the connection up where the service owes a message and none comes.</summary>
        private void Watch()
        {
            var owed = !_open || _pending.Count > 0;
            if (!_ending.Task.IsCompleted)
                _timer.Change(owed ? _timeout : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        private void GiveUp()
        {
            var error = new ConnectionException($"{_address} has not answered for {_timeout.TotalSeconds} s.");
            _ending.TrySetResult(new Ending(error, true));
        }

        /// <summary>Closes the socket, politely where the other side plays along.</summary>
        private async Task FarewellAsync(Task receiving)
        {
            try
            {
                if (_socket.State == WebSocketState.Open || _socket.State == WebSocketState.CloseReceived)
                {
                    const WebSocketCloseStatus status = WebSocketCloseStatus.NormalClosure;
                    var closed = Task.WhenAll(_socket.CloseOutputAsync(status, "", CancellationToken.None), receiving);
                    await Task.WhenAny(closed, Task.Delay(LongestFarewell)).ConfigureAwait(false);
                }
            }
            catch (Exception)
            {
                // it is gone already
            }
            finally
            {
                _socket.Abort();
                _socket.Dispose();
            }
        }

        private static byte[] Stamped(long sequence, long microseconds, byte[] picture)
        {
            var message = new byte[StampBytes + picture.Length];
            for (var i = 0; i < 8; i++)
            {
                message[i] = (byte)(sequence >> (8 * i));
                message[8 + i] = (byte)(microseconds >> (8 * i));
            }
            Buffer.BlockCopy(picture, 0, message, StampBytes, picture.Length);
            return message;
        }
    }

    /// <summary>Why a connection has ended.</summary>
    internal readonly struct Ending
    {
        public Ending(MfnException error, bool transient)
        {
            Error = error;
            Transient = transient;
        }

        /// <summary>Null where nobody did anything wrong: the stream was closed, or the service has closed one without
        /// frames.</summary>
        public MfnException Error { get; }

        /// <summary>Another connection may fare better.</summary>
        public bool Transient { get; }
    }
}
