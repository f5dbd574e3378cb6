using System;
using System.Collections.Generic;
using System.Linq;

namespace Mfn
{
    /// <summary>Chooses which face each of several characters follows, so that no character jumps from person to
    /// person.</summary>
    /// <remarks>A character without a person takes the largest face that no other has, and keeps it until its track
    /// ends.</remarks>
    public sealed class LeadingFaces
    {
        // As the service's tracker: time without a face after which a track ends.
        private static readonly TimeSpan LongestAbsence = TimeSpan.FromSeconds(1);

        private readonly List<Character> _characters = new List<Character>();

        /// <summary>The face that a character follows; null while its person is not seen. Characters are counted from
        /// 0, and begin to take faces when they are first asked for.</summary>
        public Face this[int character]
        {
            get
            {
                while (_characters.Count <= character) _characters.Add(new Character());
                return _characters[character].Face;
            }
        }

        /// <summary>Goes on to the next frame.</summary>
        public void Take(FrameAnswer answer)
        {
            foreach (var character in _characters)
            {
                character.Face = answer.Faces.FirstOrDefault(face => face.TrackId == character.TrackId);
                if (character.Face != null)
                    character.LastSeen = answer.CapturedAt;
                else if (answer.Restarted || answer.CapturedAt - character.LastSeen > LongestAbsence)
                    character.TrackId = 0;
            }
            var others = answer.Faces
                .Where(face => _characters.All(character => character.TrackId != face.TrackId))
                .OrderByDescending(face => face.Pose.Scale)
                .ToList();
            var free = _characters.Where(character => character.TrackId == 0).ToList();
            for (var i = 0; i < Math.Min(free.Count, others.Count); i++)
            {
                free[i].Face = others[i];
                free[i].TrackId = others[i].TrackId;
                free[i].LastSeen = answer.CapturedAt;
            }
        }

        private sealed class Character
        {
            public int TrackId; // 0: none; the service counts from 1
            public Face Face;
            public TimeSpan LastSeen;
        }
    }
}
