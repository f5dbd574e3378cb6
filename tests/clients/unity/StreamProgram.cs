// Does with streams of the client what lines of its standard input say; every line that it prints is a JSON document:
// events of the stream as they come, and {"done": ...} when a command is done.
//
//     new ADDRESS [OPTION=VALUE ...]     makes a stream in place of the one before, or prints why it is refused
//     open                   opens it
//     send FILE [MS]         waits until it is ready, sends a file, prints its answer; MS: when it was captured
//     offer FILE             sends a file at once, ready or not, and does not wait for the answer
//     settle                 waits for the answers of what was offered, and prints them
//     wait NAME              waits until it has come into a state, or Failed, as often as that was waited for
//     ready                  waits until it is ready
//     calibrate NAME         TakeNeutral or Reset
//     rotate DEGREES
//     dropped                prints how many frames were dropped
//     dispose
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Mfn;

internal static class StreamProgram
{
    private static readonly List<Task<FrameAnswer>> Offered = new List<Task<FrameAnswer>>();

    private static int Main()
    {
        Session session = null;
        string line;
        while ((line = Console.ReadLine()) != null)
        {
            var words = line.Split(' ');
            if (words[0] == "new")
            {
                session?.Stream.Dispose();
                session = NewSession(words.Skip(1).ToArray());
            }
            else
            {
                DoAsync(session, words).GetAwaiter().GetResult();
            }
            Print($"{{\"done\":{Text(line)}}}");
        }
        return 0;
    }

    /// <summary>A stream, and how often what has happened to it.</summary>
    private sealed class Session
    {
        private static int count;

        public readonly RetargetStream Stream;
        public readonly Dictionary<string, SemaphoreSlim> Happened =
            Enum.GetNames(typeof(StreamState)).Append("Failed").ToDictionary(name => name, _ => new SemaphoreSlim(0));

        public Session(StreamOptions options)
        {
            var number = ++count;
            Stream = new RetargetStream(options);
            Stream.StateChanged += state => Tell(number, state.ToString(), "null");
            Stream.Failed += error => Tell(number, "Failed", Shown(error));
        }

        private void Tell(int number, string happened, string error)
        {
            Print(Members(
                Member("event", Text(happened)), Member("stream", Text(number)), Member("error", error)));
            Happened[happened].Release();
        }
    }

    private static Session NewSession(string[] arguments)
    {
        try
        {
            return new Session(OptionsOf(arguments));
        }
        catch (ArgumentException error)
        {
            Print($"{{\"refused\":{Text(error.Message)}}}");
            return null;
        }
    }

    private static StreamOptions OptionsOf(string[] arguments)
    {
        var options = new StreamOptions { Address = arguments[0] };
        foreach (var argument in arguments.Skip(1))
        {
            var parts = argument.Split('=');
            var property = typeof(StreamOptions).GetProperty(parts[0]);
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            object value;
            if (type == typeof(TimeSpan)) value = TimeSpan.FromSeconds(Number(parts[1]));
            else if (type == typeof(Smoothing)) value = new Smoothing { Beta = (float)Number(parts[1]) };
            else if (parts[0] == "Neutral") value = NeutralFile.Read(File.ReadAllText(parts[1]));
            else value = Convert.ChangeType(parts[1], type, CultureInfo.InvariantCulture);
            property.SetValue(options, value);
        }
        return options;
    }

    private static async Task DoAsync(Session session, string[] words)
    {
        var stream = session.Stream;
        switch (words[0])
        {
            case "open":
                stream.Open();
                break;
            case "send":
                await ShowAsync(SendAsync(stream, words[1], words.Length > 2 ? Milliseconds(words[2]) : null));
                break;
            case "offer":
                Offered.Add(stream.SendAsync(File.ReadAllBytes(words[1])));
                break;
            case "settle":
                foreach (var frame in Offered) await ShowAsync(frame);
                Offered.Clear();
                break;
            case "wait":
                await session.Happened[words[1]].WaitAsync();
                break;
            case "ready":
                await stream.WhenReadyAsync();
                break;
            case "calibrate":
                var told = stream.Calibrate((Calibration)Enum.Parse(typeof(Calibration), words[1]));
                Print($"{{\"told\":{Text(told)}}}");
                break;
            case "rotate":
                stream.Rotate(int.Parse(words[1], CultureInfo.InvariantCulture));
                break;
            case "dropped":
                Print($"{{\"dropped\":{stream.Dropped}}}");
                break;
            case "dispose":
                stream.Dispose();
                break;
            default:
                throw new InvalidOperationException($"There is no command {words[0]}.");
        }
    }

    // TimeSpan.FromMilliseconds rounds to whole ones
    private static TimeSpan? Milliseconds(string text) =>
        TimeSpan.FromTicks((long)(Number(text) * TimeSpan.TicksPerMillisecond));

    private static async Task<FrameAnswer> SendAsync(RetargetStream stream, string file, TimeSpan? capturedAt)
    {
        await stream.WhenReadyAsync();
        return await stream.SendAsync(File.ReadAllBytes(file), capturedAt);
    }

    private static async Task ShowAsync(Task<FrameAnswer> frame)
    {
        try
        {
            Print($"{{\"answer\":{Shown(await frame)}}}");
        }
        catch (MfnException error)
        {
            Print($"{{\"error\":{Shown(error)}}}");
        }
        catch (ObjectDisposedException)
        {
            Print("{\"error\":{\"kind\":\"disposed\"}}");
        }
    }

    private static string Shown(FrameAnswer answer) =>
        answer == null
            ? "null"
            : Members(
                Member("sequence", Text(answer.Sequence)),
                Member("captured_ms", Text(answer.CapturedAt.TotalMilliseconds)),
                Member("round_trip_ms", Text(answer.RoundTrip.TotalMilliseconds)),
                Member("dropped", Text(answer.Dropped)),
                Member("restarted", Text(answer.Restarted)),
                Member("width", Text(answer.ImageWidth)),
                Member("height", Text(answer.ImageHeight)),
                Member("timing_ms", Weights(answer.TimingMs)),
                Member("unobserved_arkit", answer.UnobservedArkit == null
                    ? "null"
                    : Array(answer.UnobservedArkit.Select(Text))),
                Member("faces", Array(answer.Faces.Select(Shown))));

    private static string Shown(Face face) =>
        Members(
            Member("track_id", Text(face.TrackId)),
            Member("score", Text(face.Score)),
            Member("neutral", Text(face.Neutral.ToString().ToLowerInvariant())),
            Member("box", Numbers(face.Box.X, face.Box.Y, face.Box.Width, face.Box.Height)),
            Member("quaternion", Numbers(
                face.Pose.Rotation.X, face.Pose.Rotation.Y, face.Pose.Rotation.Z, face.Pose.Rotation.W)),
            Member("angles", Numbers(face.Pose.Yaw, face.Pose.Pitch, face.Pose.Roll)),
            Member("translation", Numbers(face.Pose.Translation.X, face.Pose.Translation.Y, face.Pose.Translation.Z)),
            Member("scale", Text(face.Pose.Scale)),
            Member("expression", Weights(face.Expression)),
            Member("blendshapes", Weights(face.Blendshapes)),
            Member("gaze", Weights(face.Gaze)),
            Member("identity", face.Identity == null ? "null" : Array(face.Identity.Select(value => Text(value)))),
            Member("landmarks", face.Landmarks == null
                ? "null"
                : Array(face.Landmarks.Select(point => Numbers(point.X, point.Y)))));

    private static string Shown(MfnException error) =>
        Members(
            Member("kind", Text(error is ProblemException problem ? problem.Kind : "connection")),
            Member("message", Text(error.Message)));

    private static string Weights(IReadOnlyDictionary<string, float> weights) =>
        weights == null ? "null" : Members(weights.Select(pair => Member(pair.Key, Text(pair.Value))).ToArray());

    private static string Members(params string[] members) => "{" + string.Join(",", members) + "}";

    private static string Member(string name, string value) => Text(name) + ":" + value;

    private static string Array(IEnumerable<string> values) => "[" + string.Join(",", values) + "]";

    private static string Numbers(params float[] values) => Array(values.Select(value => Text(value)));

    private static string Text(string text) => "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";

    private static string Text(bool value) => value ? "true" : "false";

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Text(float value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static void Print(string line)
    {
        lock (Offered) Console.WriteLine(line);
    }
}
