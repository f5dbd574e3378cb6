using System.IO;
using System.Net;
using UnityEditor;
using UnityEditor.SceneManagement;
using UnityEngine;

namespace Mfn.Unity.Editor
{
    /// <summary>The menu MFN > Create Sample Scene: a camera's faces move a character of Studio.</summary>
    public static class SampleScene
    {
        private const string Folder = "Assets/MFN";
        private const string Character = Folder + "/human.glb";
        private const string Scene = Folder + "/Sample.unity";
        private const string Download = "http://localhost:8000/studio/characters/human.glb";

        [MenuItem("MFN/Create Sample Scene")]
        public static void Create()
        {
            Directory.CreateDirectory(Folder);
            var model = Model(out var problem);
            if (model == null)
            {
                EditorUtility.DisplayDialog("MFN", problem, "OK");
                return;
            }
            if (!EditorSceneManager.SaveCurrentModifiedScenesIfUserWantsTo()) return;
            var scene = EditorSceneManager.NewScene(NewSceneSetup.DefaultGameObjects, NewSceneMode.Single);

            // the character looks along z, and is seen from there; its head is 0.12 m above the origin
            var view = Camera.main;
            view.transform.position = new Vector3(0, 0.12f, 1.1f);
            view.transform.rotation = Quaternion.Euler(0, 180, 0);
            view.fieldOfView = 25;
            view.nearClipPlane = 0.05f;
            var light = UnityEngine.Object.FindAnyObjectByType<Light>();
            light.transform.rotation = Quaternion.Euler(30, 150, 0); // from before the character, above, and beside it

            var faces = new GameObject("Faces");
            faces.AddComponent<FaceStream>();
            faces.AddComponent<CameraFrames>();
            var character = (GameObject)PrefabUtility.InstantiatePrefab(model);
            character.AddComponent<FaceAvatar>();
            EditorSceneManager.SaveScene(scene, Scene);
            Debug.Log($"{Scene} is made. Start the service, and press Play.");
        }

        /// <summary>The character, fetched from the service where the project has none; null with a sentence on what to
        /// do.</summary>
        private static GameObject Model(out string problem)
        {
            problem = null;
            if (!File.Exists(Character))
            {
                try
                {
                    using (var client = new WebClient()) File.WriteAllBytes(Character, client.DownloadData(Download));
                }
                catch (WebException error)
                {
                    problem = $"{Download} cannot be fetched: {error.Message}\n\nStart the service, or copy " +
                        $"studio/characters/human.glb of MFN's repository to {Character}.";
                    return null;
                }
            }
            AssetDatabase.Refresh();
            var model = AssetDatabase.LoadAssetAtPath<GameObject>(Character);
            if (model == null)
            {
                problem = "Unity cannot read .glb files yet. Add the package com.unity.cloud.gltfast " +
                    "(Window > Package Manager > + > Add package by name), and try again.";
            }
            return model;
        }
    }
}
