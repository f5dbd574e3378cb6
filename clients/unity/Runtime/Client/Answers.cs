using System;
using System.Collections.Generic;
using System.Numerics;

namespace Mfn
{
    /// <summary>What a frame shows.</summary>
    public sealed class FrameAnswer
    {
        /// <summary>The frame's number in its stream, from 1.</summary>
        public long Sequence { get; internal set; }

        /// <summary>When the frame was captured, on the clock of the one who sent it.</summary>
        public TimeSpan CapturedAt { get; internal set; }

        /// <summary>From sending the frame to having its answer.</summary>
        public TimeSpan RoundTrip { get; internal set; }

        /// <summary>Frames that the stream was given in vain so far.</summary>
        public int Dropped { get; internal set; }

        /// <summary>Tracks, smoothing and neutral faces begin anew with this frame: the frames' clock has jumped by
        /// more than a second, or the connection is another one.</summary>
        public bool Restarted { get; internal set; }

        /// <summary>Pixels, of the upright picture.</summary>
        public int ImageWidth { get; internal set; }

        /// <summary>Pixels, of the upright picture.</summary>
        public int ImageHeight { get; internal set; }

        /// <summary>What took how long in the service: milliseconds by stage.</summary>
        public IReadOnlyDictionary<string, float> TimingMs { get; internal set; }

        /// <summary>In descending score.</summary>
        public IReadOnlyList<Face> Faces { get; internal set; }

        /// <summary>Names of the blendshapes that were not seen and are 0; null unless blendshapes are
        /// included.</summary>
        public IReadOnlyList<string> UnobservedArkit { get; internal set; }
    }

    /// <summary>One face of a frame. Left and right are the person's own.</summary>
    public sealed class Face
    {
        /// <summary>Stays with the person, and is never used again in a stream, whatever connections it goes
        /// through.</summary>
        public int TrackId { get; internal set; }

        /// <summary>How sure the service is that this is a face, 0 to 1.</summary>
        public float Score { get; internal set; }

        public Box Box { get; internal set; }
        public HeadPose Pose { get; internal set; }

        /// <summary>How far the person's calibration has come.</summary>
        public NeutralState Neutral { get; internal set; }

        /// <summary>The model's 46 weights, 0 to 1, by name.</summary>
        public IReadOnlyDictionary<string, float> Expression { get; internal set; }

        /// <summary>ARKit's 52 weights, 0 to 1, by name; null unless included.</summary>
        public IReadOnlyDictionary<string, float> Blendshapes { get; internal set; }

        /// <summary>ARKit's eight eyeLook*, 0 to 1, by name; null where no second look was taken.</summary>
        public IReadOnlyDictionary<string, float> Gaze { get; internal set; }

        /// <summary>50 coefficients in standard deviations; null where excluded.</summary>
        public IReadOnlyList<float> Identity { get; internal set; }

        /// <summary>68 points in pixels; null unless included.</summary>
        public IReadOnlyList<Vector2> Landmarks { get; internal set; }
    }

    /// <summary>A head under weak perspective. The camera's frame is right-handed: x to the image's right, y up, z
    /// toward the viewer, the origin at the image's centre.</summary>
    public sealed class HeadPose
    {
        /// <summary>Head to camera, unit.</summary>
        public Quaternion Rotation { get; internal set; }

        /// <summary>Degrees; positive turns the face toward the image's right.</summary>
        public float Yaw { get; internal set; }

        /// <summary>Degrees; positive looks down.</summary>
        public float Pitch { get; internal set; }

        /// <summary>Degrees; positive is counter-clockwise as seen.</summary>
        public float Roll { get; internal set; }

        /// <summary>Centimetres, in the camera's frame.</summary>
        public Vector3 Translation { get; internal set; }

        /// <summary>Pixels per centimetre.</summary>
        public float Scale { get; internal set; }
    }

    /// <summary>Top left corner and size in pixels of the picture; may reach past its edges.</summary>
    public readonly struct Box
    {
        public Box(float x, float y, float width, float height)
        {
            X = x;
            Y = y;
            Width = width;
            Height = height;
        }

        public float X { get; }
        public float Y { get; }
        public float Width { get; }
        public float Height { get; }
    }

    /// <summary>Whether a person's resting face is subtracted: not, being collected, or so it is.</summary>
    public enum NeutralState
    {
        Off,
        Collecting,
        On,
    }

    /// <summary>The model that answers, and the names behind its numbers.</summary>
    public sealed class Model
    {
        public string Name { get; internal set; }
        public string Version { get; internal set; }

        /// <summary>Pixels along the longer side, of which StreamOptions.InputSize is one.</summary>
        public IReadOnlyList<int> InputSizes { get; internal set; }

        /// <summary>The 46 of Face.Expression.</summary>
        public IReadOnlyList<string> ExpressionNames { get; internal set; }

        /// <summary>The 52 of Face.Blendshapes.</summary>
        public IReadOnlyList<string> ArkitNames { get; internal set; }

        /// <summary>Of these, those that no picture shows this model: always 0.</summary>
        public IReadOnlyList<string> UnobservedArkit { get; internal set; }
    }

    /// <summary>A problem document, RFC 9457.</summary>
    public sealed class Problem
    {
        public string Type { get; internal set; }
        public string Title { get; internal set; }

        /// <summary>As of HTTP.</summary>
        public int Status { get; internal set; }

        /// <summary>What was wrong, what was expected and what to do.</summary>
        public string Detail { get; internal set; }
    }
}
