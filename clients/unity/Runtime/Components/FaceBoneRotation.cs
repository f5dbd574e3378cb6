using UnityEngine;

namespace Mfn.Unity
{
    /// <summary>A bone that is turned from its rest, about the axes of the character and not about its own, which
    /// differ from rig to rig.</summary>
    internal sealed class FaceBoneRotation
    {
        private readonly Transform bone;
        private readonly Transform character;
        private readonly Quaternion rest; // of the bone, in the character's frame

        /// <summary>bone: at rest now; null where the character has none. character: looks along its z.</summary>
        public FaceBoneRotation(Transform bone, Transform character)
        {
            this.bone = bone;
            this.character = character;
            if (bone != null) rest = Quaternion.Inverse(character.rotation) * bone.rotation;
        }

        /// <summary>Turns the bone, whatever its parents do. rotation: from its rest, in the character's
        /// frame.</summary>
        public void Turn(Quaternion rotation)
        {
            if (bone != null) bone.rotation = character.rotation * rotation * rest;
        }
    }
}
