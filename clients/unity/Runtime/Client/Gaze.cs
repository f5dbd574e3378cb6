using System;
using System.Collections.Generic;
using System.Numerics;

namespace Mfn
{
    /// <summary>The rotations of the two eyeballs that ARKit's eyeLook* stand for.</summary>
    public static class Gaze
    {
        // Degrees that an eye rotates by at weight 1, as in service/vision/gaze.py.
        private const float Down = 35.0f;
        private const float Up = 27.1f;
        private const float Out = 39.0f; // away from the nose
        private const float In = 21.5f; // toward it

        private const float RadiansInDegree = (float)(Math.PI / 180);

        /// <summary>Rotation of the left or the right eyeball relative to the head, in the head's frame (x to the
        /// person's left, y up, z forward, right-handed). gaze: of a face, not null.</summary>
        public static Quaternion Rotation(IReadOnlyDictionary<string, float> gaze, bool left)
        {
            var side = left ? "Left" : "Right";
            // away from the nose is to the person's left, which is a positive yaw, for the left eye only
            var away = Out * Weight(gaze, "eyeLookOut" + side) - In * Weight(gaze, "eyeLookIn" + side);
            var yaw = left ? away : -away;
            var pitch = Down * Weight(gaze, "eyeLookDown" + side) - Up * Weight(gaze, "eyeLookUp" + side);
            return Quaternion.CreateFromYawPitchRoll(yaw * RadiansInDegree, pitch * RadiansInDegree, 0);
        }

        private static float Weight(IReadOnlyDictionary<string, float> gaze, string name) =>
            gaze.TryGetValue(name, out var weight) ? weight : 0;
    }
}
