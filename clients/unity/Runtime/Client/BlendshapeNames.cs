using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Mfn
{
    /// <summary>Recognises ARKit's blendshapes by the names that meshes give them.</summary>
    public static class BlendshapeNames
    {
        // Of which ARKit has one for both sides, and meshes often one a side.
        private static readonly string[] Bilateral = { "browInnerUp", "cheekPuff" };

        private static readonly Dictionary<string, string> ByKey = AllKeys();

        /// <summary>ARKit's name of a mesh's blendshape; null where it is none of the 52. Capital letters, what
        /// separates words, a prefix that ends with a dot, and _L for Left make no difference: jawOpen, JawOpen,
        /// jaw_open, Face.jawOpen; eyeBlinkLeft, eyeBlink_L, EyeBlinkL. Halves of browInnerUp and cheekPuff are
        /// recognised, too.</summary>
        public static string ToArkit(string shape)
        {
            var name = shape.Trim();
            var side = TakeSide(ref name);
            var prefix = name.LastIndexOfAny(new[] { '.', ':', '/', '|' });
            return ByKey.TryGetValue(Key(name.Substring(prefix + 1)) + side, out var arkit) ? arkit : null;
        }

        /// <summary>Cuts _L, .R, -l or a capital L after a small letter off a name's end; returns "left", "right" or
        /// "".</summary>
        private static string TakeSide(ref string name)
        {
            if (name.Length < 2) return "";
            var last = name[name.Length - 1];
            var before = name[name.Length - 2];
            var side = char.ToLowerInvariant(last) == 'l' ? "left" : char.ToLowerInvariant(last) == 'r' ? "right" : "";
            var separated = "_.- ".IndexOf(before) >= 0;
            if (side == "" || !(separated || (char.IsLower(before) && char.IsUpper(last)))) return "";
            name = name.Substring(0, name.Length - (separated ? 2 : 1));
            return side;
        }

        private static string Key(string name)
        {
            var key = new StringBuilder(name.Length);
            foreach (var character in name.Where(char.IsLetterOrDigit)) key.Append(char.ToLowerInvariant(character));
            return key.ToString();
        }

        private static Dictionary<string, string> AllKeys()
        {
            var keys = ArkitNames.All.ToDictionary(Key, StringComparer.Ordinal);
            foreach (var name in Bilateral)
            {
                keys.Add(Key(name) + "left", name);
                keys.Add(Key(name) + "right", name);
            }
            return keys;
        }
    }
}
