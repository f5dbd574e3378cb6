using System;
using System.Collections.Generic;
using System.Numerics;

namespace Mfn
{
    /// <summary>One text message of the service, as docs/websocket.schema.json describes them: the model, a frame's
    /// answer or problem, or why the stream ends. What it does not know, it passes over.</summary>
    internal sealed class ServiceMessage
    {
        /// <summary>Of the first message.</summary>
        public Model Model { get; private set; }

        /// <summary>Of a frame's answer or problem; null in other messages.</summary>
        public long? Sequence { get; private set; }

        /// <summary>What the frame shows; null in other messages.</summary>
        public FrameAnswer Answer { get; private set; }

        /// <summary>The frame's where there is a sequence, else the stream's.</summary>
        public Problem Problem { get; private set; }

        /// <summary>Throws FormatException for what is no message of the service.</summary>
        public static ServiceMessage Read(string text)
        {
            var json = new JsonReader(text);
            var message = new ServiceMessage();
            var answer = new FrameAnswer();
            json.BeginObject();
            while (json.NextMember(out var name))
            {
                switch (name)
                {
                    case "model":
                        message.Model = ReadModel(json);
                        break;
                    case "problem":
                        message.Problem = ReadProblem(json);
                        break;
                    case "sequence":
                        message.Sequence = answer.Sequence = json.ReadInteger();
                        break;
                    case "timestamp_us":
                        answer.CapturedAt = Microseconds.ToTime(json.ReadInteger());
                        break;
                    case "restarted":
                        answer.Restarted = json.ReadBoolean();
                        break;
                    case "image":
                        ReadImage(json, answer);
                        break;
                    case "timing_ms":
                        answer.TimingMs = ReadWeights(json);
                        break;
                    case "faces":
                        answer.Faces = ReadList(json, ReadFace);
                        break;
                    case "unobserved_arkit":
                        answer.UnobservedArkit = ReadList(json, ReadString);
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }
            json.End();
            if (message.Sequence != null && answer.Faces != null) message.Answer = answer;
            if (message.Model == null && message.Problem == null && message.Answer == null)
                throw new FormatException("The JSON has neither model, faces nor problem.");
            return message;
        }

        private static Model ReadModel(JsonReader json)
        {
            var model = new Model();
            json.BeginObject();
            while (json.NextMember(out var name))
            {
                switch (name)
                {
                    case "name":
                        model.Name = json.ReadString();
                        break;
                    case "version":
                        model.Version = json.ReadString();
                        break;
                    case "input_sizes":
                        model.InputSizes = ReadList(json, ReadInteger);
                        break;
                    case "expression_names":
                        model.ExpressionNames = ReadList(json, ReadString);
                        break;
                    case "arkit_names":
                        model.ArkitNames = ReadList(json, ReadString);
                        break;
                    case "unobserved_arkit":
                        model.UnobservedArkit = ReadList(json, ReadString);
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }
            return model;
        }

        private static Problem ReadProblem(JsonReader json)
        {
            var problem = new Problem();
            json.BeginObject();
            while (json.NextMember(out var name))
            {
                switch (name)
                {
                    case "type":
                        problem.Type = json.ReadString();
                        break;
                    case "title":
                        problem.Title = json.ReadString();
                        break;
                    case "status":
                        problem.Status = ReadInteger(json);
                        break;
                    case "detail":
                        problem.Detail = json.ReadString();
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }
            if (problem.Type == null || problem.Detail == null)
                throw new FormatException("The problem has no type or no detail.");
            return problem;
        }

        private static void ReadImage(JsonReader json, FrameAnswer answer)
        {
            json.BeginObject();
            while (json.NextMember(out var name))
            {
                if (name == "width") answer.ImageWidth = ReadInteger(json);
                else if (name == "height") answer.ImageHeight = ReadInteger(json);
                else json.Skip();
            }
        }

        private static Face ReadFace(JsonReader json)
        {
            var face = new Face();
            json.BeginObject();
            while (json.NextMember(out var name))
            {
                switch (name)
                {
                    case "track_id":
                        face.TrackId = ReadInteger(json);
                        break;
                    case "score":
                        face.Score = ReadFloat(json);
                        break;
                    case "neutral":
                        face.Neutral = ReadNeutral(json);
                        break;
                    case "box":
                        face.Box = ReadBox(json);
                        break;
                    case "pose":
                        face.Pose = ReadPose(json);
                        break;
                    case "expression":
                        face.Expression = ReadWeights(json);
                        break;
                    case "blendshapes":
                        face.Blendshapes = ReadWeights(json);
                        break;
                    case "gaze":
                        face.Gaze = ReadWeights(json);
                        break;
                    case "identity":
                        face.Identity = ReadList(json, ReadFloat);
                        break;
                    case "landmarks":
                        face.Landmarks = ReadList(json, ReadPoint);
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }
            if (face.Pose == null || face.Expression == null)
                throw new FormatException("A face has no pose or no expression.");
            return face;
        }

        private static HeadPose ReadPose(JsonReader json)
        {
            var pose = new HeadPose { Rotation = Quaternion.Identity };
            json.BeginObject();
            while (json.NextMember(out var name))
            {
                switch (name)
                {
                    case "quaternion":
                        var q = ReadNumbers(json, 4);
                        pose.Rotation = new Quaternion(q[0], q[1], q[2], q[3]);
                        break;
                    case "yaw":
                        pose.Yaw = ReadFloat(json);
                        break;
                    case "pitch":
                        pose.Pitch = ReadFloat(json);
                        break;
                    case "roll":
                        pose.Roll = ReadFloat(json);
                        break;
                    case "translation":
                        var t = ReadNumbers(json, 3);
                        pose.Translation = new Vector3(t[0], t[1], t[2]);
                        break;
                    case "scale":
                        pose.Scale = ReadFloat(json);
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }
            return pose;
        }

        private static Box ReadBox(JsonReader json)
        {
            float x = 0, y = 0, width = 0, height = 0;
            json.BeginObject();
            while (json.NextMember(out var name))
            {
                if (name == "x") x = ReadFloat(json);
                else if (name == "y") y = ReadFloat(json);
                else if (name == "width") width = ReadFloat(json);
                else if (name == "height") height = ReadFloat(json);
                else json.Skip();
            }
            return new Box(x, y, width, height);
        }

        private static NeutralState ReadNeutral(JsonReader json)
        {
            switch (json.ReadString())
            {
                case "collecting":
                    return NeutralState.Collecting;
                case "on":
                    return NeutralState.On;
                default:
                    return NeutralState.Off;
            }
        }

        /// <summary>Numbers by name; null for a null, and without the names that have a null.</summary>
        internal static IReadOnlyDictionary<string, float> ReadWeights(JsonReader json)
        {
            if (json.ReadNull()) return null;
            var weights = new Dictionary<string, float>(ArkitNames.All.Count);
            json.BeginObject();
            while (json.NextMember(out var name))
            {
                if (!json.ReadNull()) weights[name] = ReadFloat(json);
            }
            return weights;
        }

        /// <summary>Null for a null.</summary>
        private static IReadOnlyList<T> ReadList<T>(JsonReader json, Func<JsonReader, T> read)
        {
            if (json.ReadNull()) return null;
            var list = new List<T>();
            json.BeginArray();
            while (json.NextElement()) list.Add(read(json));
            return list;
        }

        private static float[] ReadNumbers(JsonReader json, int count)
        {
            var numbers = new float[count];
            json.BeginArray();
            for (var i = 0; i < count; i++)
            {
                if (!json.NextElement()) throw new FormatException($"An array has {i} of {count} numbers.");
                numbers[i] = ReadFloat(json);
            }
            if (json.NextElement()) throw new FormatException($"An array has more than {count} numbers.");
            return numbers;
        }

        private static Vector2 ReadPoint(JsonReader json)
        {
            var point = ReadNumbers(json, 2);
            return new Vector2(point[0], point[1]);
        }

        private static string ReadString(JsonReader json) => json.ReadString();

        private static float ReadFloat(JsonReader json) => (float)json.ReadNumber();

        private static int ReadInteger(JsonReader json)
        {
            var value = json.ReadInteger();
            if (value < int.MinValue || value > int.MaxValue) throw new FormatException($"{value} is too large.");
            return (int)value;
        }
    }
}
