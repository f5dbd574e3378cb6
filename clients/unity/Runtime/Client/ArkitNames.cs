using System;
using System.Collections.Generic;

namespace Mfn
{
    /// <summary>ARKit's 52 blendshapes in its spelling and in alphabetical order.</summary>
    public static class ArkitNames
    {
        private const string Left = "Left";
        private const string Right = "Right";

        public static readonly IReadOnlyList<string> All = Array.AsReadOnly(new[]
        {
            "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
            "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
            "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
            "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight",
            "eyeWideLeft", "eyeWideRight",
            "jawForward", "jawLeft", "jawOpen", "jawRight",
            "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
            "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight",
            "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
            "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
            "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
        });

        /// <summary>The name of the same motion in a mirror: Left and Right are swapped.</summary>
        public static string Mirrored(string name)
        {
            if (name.EndsWith(Left, StringComparison.Ordinal))
                return name.Substring(0, name.Length - Left.Length) + Right;
            if (name.EndsWith(Right, StringComparison.Ordinal))
                return name.Substring(0, name.Length - Right.Length) + Left;
            return name;
        }
    }
}
