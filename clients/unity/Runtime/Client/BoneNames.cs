using System;
using System.Linq;

namespace Mfn
{
    /// <summary>A bone that a face turns.</summary>
    public enum FaceBone
    {
        Neck,
        Head,
        LeftEye,
        RightEye,
    }

    /// <summary>Recognises a face's bones by the names that rigs give them.</summary>
    public static class BoneNames
    {
        private static readonly string[][] Keys =
        {
            new[] { "neck" },
            new[] { "head" },
            new[] { "lefteye", "eyeleft", "eyel", "leye" },
            new[] { "righteye", "eyeright", "eyer", "reye" },
        };

        /// <summary>Whether a name is a bone's: eye_left, LeftEye, Eye.L, mixamorig:LeftEye.</summary>
        public static bool Matches(FaceBone bone, string name)
        {
            var own = name.Substring(name.LastIndexOf(':') + 1);
            var key = new string(own.Where(char.IsLetterOrDigit).Select(char.ToLowerInvariant).ToArray());
            return Array.IndexOf(Keys[(int)bone], key) >= 0;
        }
    }
}
