using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Mfn
{
    /// <summary>Where the service is, and what a stream asks it for. What is left as it is, is as the service has
    /// it.</summary>
    public sealed class StreamOptions
    {
        /// <summary>The service's address, below which its paths lie: http or https.</summary>
        public string Address { get; set; } = "http://localhost:8000";

        /// <summary>An API key, where the service asks for one.</summary>
        public string ApiKey { get; set; } = "";

        /// <summary>Frames that may be on their way at once; 1 has the least delay, 2 keep a distant service
        /// busy.</summary>
        public int InFlight { get; set; } = 1;

        /// <summary>How long a connection may take to open, and the service to answer a frame, before the connection is
        /// given up.</summary>
        public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

        /// <summary>Whether a connection that is lost is opened again.</summary>
        public bool Reconnect { get; set; } = true;

        /// <summary>A second network looks at each face: more accurate, with gaze, slower.</summary>
        public bool Refine { get; set; }

        /// <summary>Search for faces now and then, and follow them in between.</summary>
        public bool Follow { get; set; }

        /// <summary>Frames from one search to the next when following, 1 to 300.</summary>
        public int? DetectEvery { get; set; }

        /// <summary>A One-Euro filter on box, pose and coefficients; null leaves it out.</summary>
        public Smoothing Smoothing { get; set; }

        /// <summary>Everybody's resting face until a calibration, also after a connection that is lost: a weight for each
        /// of Model.ExpressionNames, as NeutralFile reads it of a file of `mfn capture`. Null: expressions are as
        /// seen.</summary>
        public IReadOnlyDictionary<string, float> Neutral { get; set; }

        /// <summary>Least score of a face, 0.01 to 1.</summary>
        public float? MinScore { get; set; }

        /// <summary>Most faces, 1 to 100.</summary>
        public int? MaxFaces { get; set; }

        /// <summary>Pixels along the longer side at which the network sees the picture, one of Model.InputSizes. More
        /// show smaller faces, and take longer.</summary>
        public int? InputSize { get; set; }

        /// <summary>Add ARKit's 52 blendshapes to each face.</summary>
        public bool Blendshapes { get; set; }

        /// <summary>Add 68 landmarks to each face.</summary>
        public bool Landmarks { get; set; }

        /// <summary>Leave out the 50 identity coefficients of each face.</summary>
        public bool ExcludeIdentity { get; set; }

        /// <summary>Degrees by which the first frames have to be turned clockwise to be upright: 0, 90, 180 or 270.
        /// RetargetStream.Rotate changes it.</summary>
        public int Rotation { get; set; }

        /// <summary>The stream's address. Throws ArgumentException where Address is none of HTTP.</summary>
        internal Uri StreamAddress()
        {
            var known = Uri.TryCreate(Address, UriKind.Absolute, out var address);
            if (!known || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
            {
                throw new ArgumentException(
                    $"Address is \"{Address}\"; it is the service's address, as http://localhost:8000.");
            }
            var stream = new UriBuilder(address)
            {
                Scheme = address.Scheme == Uri.UriSchemeHttps ? "wss" : "ws",
                Port = address.Port,
                Path = address.AbsolutePath.TrimEnd('/') + "/retarget/stream",
                Query = "",
                Fragment = "",
            };
            return stream.Uri;
        }

        /// <summary>Throws ArgumentException for what this client cannot work with. What the service does not take, it
        /// says itself.</summary>
        internal void Check()
        {
            StreamAddress();
            if (InFlight < 1)
                throw new ArgumentException($"InFlight is {InFlight}; it is a number of frames, 1 or more.");
            if (Timeout <= TimeSpan.Zero || Timeout.TotalMilliseconds > int.MaxValue)
                throw new ArgumentException($"Timeout is {Timeout}; it is more than 0 and less than 24 days.");
            CheckRotation(Rotation);
        }

        internal static void CheckRotation(int degrees)
        {
            if (degrees != 0 && degrees != 90 && degrees != 180 && degrees != 270)
                throw new ArgumentException($"A rotation is 0, 90, 180 or 270 degrees; this one is {degrees}.");
        }

        /// <summary>The stream's first message. Every frame is answered: the stream itself sends no more than may be on
        /// their way. rotation: of the next frames.</summary>
        internal string Configuration(int rotation)
        {
            var members = new List<string> { "\"stamped\":true", "\"drop_policy\":\"none\"" };
            if (Refine) members.Add("\"refine\":true");
            if (Follow) members.Add("\"follow\":true");
            if (DetectEvery != null) members.Add("\"detect_every\":" + Text(DetectEvery));
            if (Smoothing != null) members.Add("\"smoothing\":" + Smoothing.Json());
            if (Neutral != null) members.Add("\"neutral\":" + Weights(Neutral));
            if (MinScore != null) members.Add("\"min_score\":" + Text(MinScore));
            if (MaxFaces != null) members.Add("\"max_faces\":" + Text(MaxFaces));
            if (InputSize != null) members.Add("\"input_size\":" + Text(InputSize));
            var include = new List<string>();
            if (Blendshapes) include.Add("\"blendshapes\"");
            if (Landmarks) include.Add("\"landmarks\"");
            if (include.Count > 0) members.Add("\"include\":[" + string.Join(",", include) + "]");
            if (ExcludeIdentity) members.Add("\"exclude\":[\"identity\"]");
            if (rotation != 0) members.Add("\"rotation\":" + Text(rotation));
            if (!string.IsNullOrEmpty(ApiKey)) members.Add("\"key\":" + Quoted(ApiKey));
            return "{" + string.Join(",", members) + "}";
        }

        internal StreamOptions Copy() => (StreamOptions)MemberwiseClone();

        internal static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);

        private static string Weights(IReadOnlyDictionary<string, float> weights)
        {
            var members = new List<string>();
            foreach (var weight in weights) members.Add(Quoted(weight.Key) + ":" + Text(weight.Value));
            return "{" + string.Join(",", members) + "}";
        }

        private static string Quoted(string text)
        {
            var quoted = new StringBuilder("\"");
            foreach (var character in text)
            {
                if (character < ' ' || character == '"' || character == '\\' || character > '~')
                    quoted.Append("\\u").Append(((int)character).ToString("x4", CultureInfo.InvariantCulture));
                else
                    quoted.Append(character);
            }
            return quoted.Append('"').ToString();
        }
    }

    /// <summary>Parameters of the One-Euro filter. What is null, is as the service has it.</summary>
    public sealed class Smoothing
    {
        /// <summary>Hz: what a still face is filtered with.</summary>
        public float? MinCutoff { get; set; }

        /// <summary>Hz that the cut-off rises by at one unit a second.</summary>
        public float? Beta { get; set; }

        internal string Json()
        {
            var members = new List<string>();
            if (MinCutoff != null) members.Add("\"min_cutoff\":" + StreamOptions.Text(MinCutoff));
            if (Beta != null) members.Add("\"beta\":" + StreamOptions.Text(Beta));
            return "{" + string.Join(",", members) + "}";
        }
    }
}
